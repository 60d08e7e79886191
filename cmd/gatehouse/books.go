package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// BooksCmd is about the books of the car park.
type BooksCmd struct {
	Report    BooksReportCmd    `cmd:"" help:"What was charged and paid, by day, and what the accounts hold."`
	List      BooksListCmd      `cmd:"" help:"List the entries by number."`
	Take      BooksTakeCmd      `cmd:"" help:"Book what was taken at a desk: cash, card or invoice."`
	Refund    BooksRefundCmd    `cmd:"" help:"Give a payment back by the way it came, or a part of it."`
	WriteOff  BooksWriteOffCmd  `cmd:"" help:"Decide that an amount will not be asked for."`
	Close     BooksCloseCmd     `cmd:"" help:"Close a day; the server does it by itself after midnight."`
	Reconcile BooksReconcileCmd `cmd:"" help:"Compare the books with a provider's account; book fees and payouts."`
	Export    BooksExportCmd    `cmd:"" help:"Write the entries of some days into a CSV or Excel file."`
	Check     BooksCheckCmd     `cmd:"" help:"Add everything up: every entry, balance and stay."`
}

// span is some days.
type span struct {
	From  string `help:"The first day; the first of this month where it is left out." placeholder:"DATE"`
	Until string `help:"The last day; today where it is left out." placeholder:"DATE"`
}

func (s span) days() (from, until gatehouse.Date) {
	now := time.Now()
	from, until = gatehouse.Date(s.From), gatehouse.Date(s.Until)
	if from == "" {
		from = gatehouse.DateOf(now.AddDate(0, 0, 1-now.Day()))
	}
	if until == "" {
		until = gatehouse.DateOf(now)
	}
	return from, until
}

func amount(m wire.Money) gatehouse.Money {
	return gatehouse.Money{Minor: m.Minor, Currency: m.Currency}
}

// BooksReportCmd reports.
type BooksReportCmd struct{ span }

// Run prints the days, the accounts and what is open.
func (cmd BooksReportCmd) Run(ctx context.Context, out *Out) error {
	from, until := cmd.days()
	return answer(ctx, out, func(a api.Admin) (wire.BooksReport, error) { return a.BooksReport(ctx, from, until) }, func(r wire.BooksReport) {
		for _, d := range r.Days {
			in := func(n int64) string { return gatehouse.Money{Minor: n, Currency: d.Currency}.Decimal() }
			var paid int64
			for _, n := range d.Paid {
				paid += n
			}
			out.Say("%s %s  charged %s (tax %s), paid %s, refunded %s, written off %s, disputed %s, fees %s", d.Day, d.Currency, in(d.Charged), in(d.Tax), in(paid), in(d.Refunded), in(d.WrittenOff), in(d.Disputed), in(d.Fees))
		}
		for _, b := range r.Balances {
			out.Say("%-24s %s", b.Account, amount(b.Amount))
		}
		out.Say("%d stays owe something, %d were paid too much for, %d messages wait for their payment", len(r.Owed), len(r.Overpaid), r.Waiting)
	})
}

// BooksListCmd lists entries.
type BooksListCmd struct {
	After uint64 `help:"Only those behind this number."`
	Limit int    `help:"At most so many, up to 200." default:"50"`
}

// Run lists them, one line an entry.
func (cmd BooksListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.BooksEntries, error) { return a.BooksEntries(ctx, cmd.After, cmd.Limit) }, func(r wire.BooksEntries) {
		for _, e := range r.Entries {
			out.Say("%6d  %s  %-13s %12s  %s %s %s", e.Number, e.Booked.Local().Format(time.DateTime), e.Kind, amount(e.Amount), shownID(e.Stay), e.Provider, e.Object)
		}
	})
}

func shownID(id gatehouse.ID) string {
	if id.IsZero() {
		return "-"
	}
	return id.String()
}

// sum is an amount as people type it: 2.50 EUR.
type sum struct{ gatehouse.Money }

// UnmarshalText reads it.
func (s *sum) UnmarshalText(b []byte) (err error) {
	text, currency, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	s.Money, err = gatehouse.ParseMoney(text, gatehouse.Currency(strings.ToUpper(currency)))
	return err
}

func (s sum) wire() wire.Money { return wire.Money{Minor: s.Minor, Currency: s.Currency} }

// BooksTakeCmd books a payment at a desk.
type BooksTakeCmd struct {
	Stay   gatehouse.ID `arg:"" help:"The stay."`
	Amount sum          `arg:"" help:"As '2.50 EUR'."`
	Way    string       `help:"cash, card or invoice." default:"cash" enum:"cash,card,invoice"`
}

// Run books it.
func (cmd BooksTakeCmd) Run(ctx context.Context, out *Out) error {
	q := wire.BooksPaymentRequest{Stay: cmd.Stay, Way: cmd.Way, Amount: cmd.Amount.wire(), ID: gatehouse.RandomID()}
	return answer(ctx, out, func(a api.Admin) (wire.BooksEntry, error) { return a.TakePayment(ctx, q) }, booked(out))
}

func booked(out *Out) func(wire.BooksEntry) {
	return func(e wire.BooksEntry) { out.Say("entry %d: %s %s", e.Number, e.Kind, amount(e.Amount)) }
}

// reason is why a person changes the books.
type reason struct {
	Reason string `required:"" help:"goodwill, fault, misread, tariff, overpaid, unpayable, disputed or double_sale." enum:"goodwill,fault,misread,tariff,overpaid,unpayable,disputed,double_sale"`
}

// BooksRefundCmd refunds.
type BooksRefundCmd struct {
	Stay     gatehouse.ID `arg:"" help:"The stay."`
	Payment  string       `arg:"" help:"The payment, as 'gatehouse books list' shows it."`
	Amount   sum          `arg:"" help:"As '2.50 EUR'."`
	Provider string       `help:"How it was paid." default:"stripe"`
	reason
}

// Run refunds it.
func (cmd BooksRefundCmd) Run(ctx context.Context, out *Out) error {
	q := wire.BooksRefundRequest{Stay: cmd.Stay, Provider: cmd.Provider, Payment: cmd.Payment, Amount: cmd.Amount.wire(), Reason: gatehouse.BookReason(cmd.Reason), ID: gatehouse.RandomID()}
	return answer(ctx, out, func(a api.Admin) (wire.BooksEntry, error) { return a.RefundPayment(ctx, q) }, booked(out))
}

// BooksWriteOffCmd writes off.
type BooksWriteOffCmd struct {
	Stay   gatehouse.ID `arg:"" help:"The stay."`
	Amount sum          `arg:"" help:"As '2.50 EUR'."`
	reason
}

// Run writes it off.
func (cmd BooksWriteOffCmd) Run(ctx context.Context, out *Out) error {
	q := wire.BooksWriteOffRequest{Stay: cmd.Stay, Amount: cmd.Amount.wire(), Reason: gatehouse.BookReason(cmd.Reason), ID: gatehouse.RandomID()}
	return answer(ctx, out, func(a api.Admin) (wire.BooksEntry, error) { return a.WriteOff(ctx, q) }, booked(out))
}

// BooksCloseCmd closes a day.
type BooksCloseCmd struct {
	Day string `arg:"" optional:"" help:"The day; yesterday where it is left out." placeholder:"DATE"`
}

// Run closes it.
func (cmd BooksCloseCmd) Run(ctx context.Context, out *Out) error {
	day := gatehouse.Date(cmd.Day)
	if day == "" {
		day = gatehouse.DateOf(time.Now().AddDate(0, 0, -1))
	}
	return answer(ctx, out, func(a api.Admin) (wire.BooksClosing, error) {
		return a.CloseBooks(ctx, wire.BooksCloseRequest{Day: day})
	}, func(c wire.BooksClosing) {
		out.Say("%s is closed with entries %d to %d", c.Day, c.First, c.Last)
		for _, b := range c.Turnover {
			out.Say("%-24s %s", b.Account, amount(b.Amount))
		}
	})
}

// BooksReconcileCmd compares.
type BooksReconcileCmd struct {
	Provider string `arg:"" optional:"" help:"Whose account." default:"stripe"`
	span
}

// Run compares, and fails where something differs.
func (cmd BooksReconcileCmd) Run(ctx context.Context, out *Out) error {
	from, until := cmd.days()
	var found int
	err := answer(ctx, out, func(a api.Admin) (wire.BooksReconciliation, error) {
		r, err := a.ReconcileBooks(ctx, wire.BooksReconcileRequest{Provider: cmd.Provider, From: from, Until: until})
		found = len(r.Differences)
		return r, err
	}, func(r wire.BooksReconciliation) {
		out.Say("%d lines of %s's account, %d booked now", r.Lines, r.Provider, r.Booked)
		for _, d := range r.Differences {
			out.Say("%s  %s %s: here %s, there %s", d.Finding, d.Kind, d.Object, amount(d.Here), amount(d.There))
		}
		for _, b := range r.Held {
			out.Say("by the books it holds %s", amount(b.Amount))
		}
	})
	if err == nil && found > 0 {
		err = gatehouse.Errorf("books.differ", "look at each at the provider", "the books and the provider's account differ in %s", strconv.Itoa(found))
	}
	return err
}

// BooksExportCmd writes a file.
type BooksExportCmd struct {
	File   string `arg:"" help:"The file to write; its ending says csv or xlsx." type:"path"`
	Format string `help:"csv or xlsx, where the ending does not say it." default:"" enum:",csv,xlsx"`
	span
}

// Run writes it.
func (cmd BooksExportCmd) Run(ctx context.Context, out *Out) error {
	from, until := cmd.days()
	format := cmd.Format
	if format == "" {
		format = "csv"
		if strings.HasSuffix(cmd.File, ".xlsx") {
			format = "xlsx"
		}
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		got, err := a.ExportBooks(ctx, from, until, format)
		if err != nil {
			return err
		}
		if err := os.WriteFile(cmd.File, got.File, 0o600); err != nil {
			return gatehouse.Errorf("books.file", "choose another file", "the file cannot be written: %w", err)
		}
		return tell(out, map[string]any{"file": cmd.File, "bytes": len(got.File)}, nil, func(map[string]any) {
			out.Say("%s: %d bytes", cmd.File, len(got.File))
		})
	})
}

// BooksCheckCmd adds up.
type BooksCheckCmd struct{}

// Run adds up.
func (BooksCheckCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (struct{}, error) { return struct{}{}, a.CheckBooks(ctx) }, func(struct{}) {
		out.Say("the books balance")
	})
}
