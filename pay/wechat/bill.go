package wechat

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse"
)

// clock is WeChat Pay's: the times of a bill name no zone.
var clock = time.FixedZone("CST", 8*60*60)

// Movements implements gatehouse.PaymentProvider: the lines of each day's trade bill, of which
// that of yesterday is there from ten in the morning on. A day without any has no bill.
func (p *WeChat) Movements(ctx context.Context, from, until time.Time) (all []gatehouse.Movement, err error) {
	today := p.o.Now().In(clock).Format(time.DateOnly)
	first := from.In(clock)
	for day := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, clock); day.Format(time.DateOnly) < today && day.Before(until); day = day.AddDate(0, 0, 1) {
		var got struct {
			URL string `json:"download_url"`
		}
		if err := p.call(ctx, http.MethodGet, "/v3/bill/tradebill?bill_date="+day.Format(time.DateOnly)+"&bill_type=ALL", nil, &got, "NO_STATEMENT_EXIST", "STATEMENT_CREATING"); err != nil {
			return nil, err
		}
		if got.URL == "" {
			continue
		}
		if u, err := url.Parse(got.URL); err != nil || u.Scheme != "https" && !strings.HasPrefix(got.URL, p.o.URL) {
			return nil, malformed()
		}
		status, _, body, err := p.send(ctx, http.MethodGet, got.URL, nil)
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK {
			return nil, away()
		}
		lines, err := readBill(string(body))
		if err != nil {
			return nil, err
		}
		for _, m := range lines {
			if !m.At.Before(from) && m.At.Before(until) {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// readBill reads a bill: a table whose cells begin with a back quote, and its sums behind it.
func readBill(text string) (all []gatehouse.Movement, err error) {
	c := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	c.FieldsPerRecord, c.LazyQuotes = -1, true
	column := map[string]int{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) || err == nil && len(column) > 0 && !strings.HasPrefix(row[0], "`") {
			return all, nil // the sums have a head of their own
		}
		if err != nil {
			return nil, malformed()
		}
		if len(column) == 0 {
			for i, name := range row {
				column[strings.TrimSpace(name)] = i
			}
			continue
		}
		cell := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return strings.TrimSpace(strings.TrimPrefix(row[i], "`"))
			}
			return ""
		}
		m := gatehouse.Movement{Kind: gatehouse.BookPayment, Payment: cell("微信订单号"), Object: cell("微信订单号")}
		what := "应结订单金额"
		if cell("交易状态") == "REFUND" {
			m.Kind, m.Object, what = gatehouse.BookRefund, cell("微信退款单号"), "退款金额"
		}
		m.ID = m.Object
		if m.At, err = time.ParseInLocation(time.DateTime, cell("交易时间"), clock); err != nil {
			return nil, malformed()
		}
		m.At = m.At.UTC()
		if m.Amount, err = yuan(cell(what)); err != nil || m.Payment == "" || m.Object == "" {
			return nil, malformed()
		}
		if m.Kind == gatehouse.BookRefund {
			m.Amount = m.Amount.Neg()
		}
		if fee := cell("手续费"); fee != "" {
			f, err := yuan(fee)
			if err != nil {
				return nil, err
			}
			m.Fee = f.Minor
		}
		all = append(all, m)
	}
}

// yuan reads an amount of a bill: "12.50", with five digits in fees ("0.07500"), of which those
// beyond the second are nothing.
func yuan(s string) (gatehouse.Money, error) {
	rest, negative := strings.CutPrefix(s, "-")
	if whole, digits, ok := strings.Cut(rest, "."); ok && len(digits) > 2 {
		if strings.Trim(digits[2:], "0123456789") != "" {
			return gatehouse.Money{}, malformed()
		}
		rest = whole + "." + digits[:2]
	}
	m, err := gatehouse.ParseMoney(rest, Currency)
	if err != nil {
		return m, malformed()
	}
	if negative {
		m = m.Neg()
	}
	return m, nil
}
