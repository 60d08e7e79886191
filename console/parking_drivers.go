package console

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// driversBody is the list of drivers' accounts.
type driversBody struct {
	List     listing
	None     bool
	Accounts []gatehouse.DriverView
}

func (c *Console) driversPage(w http.ResponseWriter, r *http.Request) error {
	all, err := c.o.Parking.Accounts(r.Context())
	if err != nil {
		return err
	}
	b := driversBody{List: listingOf(r), None: len(all) == 0}
	b.Accounts = arrange(&b.List, all, func(x gatehouse.DriverView) []string { return []string{x.ID.String(), x.Label} }, by("label", func(x gatehouse.DriverView) string { return x.Label }),
		by("vehicles", func(x gatehouse.DriverView) int { return len(x.Vehicles) }), by("passes", func(x gatehouse.DriverView) int { return len(x.Passes) }), by("browsers", func(x gatehouse.DriverView) int { return x.Browsers }))
	if b.List.File {
		var out [][]string
		for _, x := range b.Accounts {
			out = append(out, []string{x.ID.String(), x.Label, when(x.Since), strconv.FormatBool(x.Invoice), strconv.Itoa(len(x.Vehicles)), strconv.Itoa(len(x.Passes))})
		}
		c.file(w, "drivers", []string{"account", "holder", "since", "invoice", "vehicles", "passes"}, out)
		return nil
	}
	c.render(w, r, http.StatusOK, "drivers", "drivers.title", "parking", b)
	return nil
}

// driverBody is one account, and what its vehicles paid lately.
type driverBody struct {
	Account   gatehouse.DriverView
	Receipts  []gatehouse.DriverReceipt
	Buyer     gatehouse.InvoiceBuyer // opened just now
	Discloses bool
}

func (c *Console) driverPage(w http.ResponseWriter, r *http.Request) error {
	return c.showDriver(w, r, gatehouse.InvoiceBuyer{})
}

func (c *Console) showDriver(w http.ResponseWriter, r *http.Request, buyer gatehouse.InvoiceBuyer) error {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return err
	}
	b := driverBody{Buyer: buyer, Discloses: may(r, gatehouse.DisclosePeople)}
	if b.Account, err = c.o.Parking.Account(r.Context(), id); err != nil {
		return err
	}
	now := c.o.Now().In(c.o.Location)
	from := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, c.o.Location)
	if b.Receipts, err = c.o.Parking.Receipts(r.Context(), id, from, from.AddDate(0, 2, 0)); err != nil {
		return err
	}
	c.render(w, r, http.StatusOK, "driver", "driver.title", "parking", b)
	return nil
}

func (c *Console) addDriver(w http.ResponseWriter, r *http.Request) error {
	holder, err := c.askedVehicle(r, "holder")
	if err != nil {
		return err
	}
	a, err := c.o.Parking.OpenAccountFor(r.Context(), holder, asked(r, "invoice") != "", who(r).Operator)
	return c.back(w, r, "/parking/drivers/"+a.ID.String(), err)
}

// pageLink is a link that is shown once.
type pageLink struct{ Address, Code, Back, BackTo string }

func (c *Console) showLink(w http.ResponseWriter, r *http.Request, page string, code gatehouse.Secret, back, backTo string, err error) error {
	if err == nil {
		c.render(w, r, http.StatusOK, "pagelink", "pagelink.title", "parking", pageLink{Address: c.o.Parking.PageAddress(page) + "#k=" + code.Reveal(), Code: code.Reveal(), Back: back, BackTo: backTo})
	}
	return err
}

func (c *Console) linkDriver(w http.ResponseWriter, r *http.Request) error {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return err
	}
	code, err := c.o.Parking.LinkAccount(r.Context(), id, who(r).Operator)
	return c.showLink(w, r, "/pay/account", code, "/parking/drivers/"+id.String(), "driver.title", err)
}

// onDriver changes the account of the path and shows it again.
func (c *Console) onDriver(w http.ResponseWriter, r *http.Request, do func(id gatehouse.ID) error) error {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		err = do(id)
	}
	return c.back(w, r, "/parking/drivers/"+id.String(), err)
}

func (c *Console) setDriverInvoice(w http.ResponseWriter, r *http.Request) error {
	return c.onDriver(w, r, func(id gatehouse.ID) error {
		return c.o.Parking.SetInvoice(r.Context(), id, asked(r, "invoice") != "", who(r).Operator)
	})
}

func (c *Console) addDriverVehicle(w http.ResponseWriter, r *http.Request) error {
	vehicle, err := c.askedVehicle(r, "vehicle")
	if err != nil {
		return err
	}
	return c.onDriver(w, r, func(id gatehouse.ID) error {
		return c.o.Parking.AddVehicle(r.Context(), id, vehicle, who(r).Operator)
	})
}

func (c *Console) removeDriver(w http.ResponseWriter, r *http.Request) error {
	err := c.o.Parking.RemoveRight(r.Context(), gatehouse.DriverAccountItem, r.PathValue("id"), who(r).Operator)
	return c.back(w, r, "/parking/drivers", err)
}

// openBuyer shows whom an account's invoices are made out to, for one disclosure.
func (c *Console) openBuyer(w http.ResponseWriter, r *http.Request) error {
	if err := formIn(w, r, maxParkingForm); err != nil {
		return err
	}
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return err
	}
	if !may(r, gatehouse.ManageParking) {
		return gatehouse.Errorf("auth.forbidden", "ask whoever manages the car park", "this account may not see drivers' accounts")
	}
	buyer, err := c.o.Parking.OpenBuyer(r.Context(), who(r), id, asked(r, "reason"))
	if err != nil {
		return err
	}
	return c.showDriver(w, r, buyer)
}

// shopsBody is the list of shops.
type shopsBody struct {
	List  listing
	None  bool
	Shops []shopRow
	Kinds []gatehouse.ValidationKind
}

// shopRow is one shop, and what it gives in words.
type shopRow struct {
	gatehouse.ShopUse
	GivesText string
}

func givesText(v gatehouse.Validation, lang string) string {
	switch v.Kind {
	case gatehouse.TimeValidation:
		return fmt.Sprintf("%.0f %s", v.Time.Minutes(), text(lang, "gives.time"))
	case gatehouse.PercentValidation:
		return fmt.Sprintf("%g %%", float64(v.BasisPoints)/100)
	case gatehouse.MoneyValidation:
		return v.Money.String()
	}
	return text(lang, "gives.full")
}

func (c *Console) shopsPage(w http.ResponseWriter, r *http.Request) error {
	var rows []shopRow
	for _, u := range c.o.Parking.Shops() {
		rows = append(rows, shopRow{u, givesText(u.Gives, languageOf(w, r))})
	}
	b := shopsBody{List: listingOf(r), None: len(rows) == 0, Kinds: []gatehouse.ValidationKind{gatehouse.TimeValidation, gatehouse.PercentValidation, gatehouse.MoneyValidation, gatehouse.FullValidation}}
	b.Shops = arrange(&b.List, rows, func(x shopRow) []string { return []string{x.ID.String(), x.Name} }, by("name", func(x shopRow) string { return x.Name }),
		by("gives", func(x shopRow) string { return x.GivesText }), by("today", func(x shopRow) int { return x.Today }), by("open", func(x shopRow) int { return x.Open }), by("used", func(x shopRow) int { return x.Used }))
	if b.List.File {
		var out [][]string
		for _, x := range b.Shops {
			out = append(out, []string{x.ID.String(), x.Name, string(x.Gives.Kind), x.GivesText, strconv.Itoa(x.PerStay), strconv.Itoa(x.PerDay), strconv.Itoa(x.Today), strconv.Itoa(x.Open), strconv.Itoa(x.Used)})
		}
		c.file(w, "shops", []string{"shop", "name", "kind", "gives", "per_stay", "per_day", "today", "open", "used"}, out)
		return nil
	}
	c.render(w, r, http.StatusOK, "shops", "shops.title", "parking", b)
	return nil
}

func (c *Console) putShop(w http.ResponseWriter, r *http.Request) error {
	x := gatehouse.Shop{Name: asked(r, "name"), Gives: gatehouse.Validation{Kind: gatehouse.ValidationKind(asked(r, "kind"))}}
	var err error
	if x.PerStay, err = askedNumber(r, "per_stay"); err != nil {
		return err
	}
	if x.PerDay, err = askedNumber(r, "per_day"); err != nil {
		return err
	}
	switch x.Gives.Kind {
	case gatehouse.MoneyValidation:
		x.Gives.Money, err = gatehouse.ParseMoney(asked(r, "many"), gatehouse.Currency(strings.ToUpper(asked(r, "currency"))))
	case gatehouse.TimeValidation, gatehouse.PercentValidation:
		var n int
		if n, err = askedNumber(r, "many"); n < 0 || n > 1_000_000 {
			n = 0 // refused as any that gives nothing
		}
		if x.Gives.BasisPoints = int64(n) * 100; x.Gives.Kind == gatehouse.TimeValidation {
			x.Gives.Time, x.Gives.BasisPoints = time.Duration(n)*time.Minute, 0
		}
	}
	if err == nil {
		_, err = c.o.Parking.PutShop(r.Context(), x, who(r).Operator)
	}
	return c.back(w, r, "/parking/shops", err)
}

func (c *Console) linkShop(w http.ResponseWriter, r *http.Request) error {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return err
	}
	code, err := c.o.Parking.LinkShop(r.Context(), id, who(r).Operator)
	return c.showLink(w, r, "/pay/shop", code, "/parking/shops", "shops.title", err)
}

func (c *Console) removeShop(w http.ResponseWriter, r *http.Request) error {
	err := c.o.Parking.RemoveRight(r.Context(), gatehouse.ShopItem, r.PathValue("id"), who(r).Operator)
	return c.back(w, r, "/parking/shops", err)
}
