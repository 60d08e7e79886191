package tariff

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// Curve is what stays cost that begin at From: one Point for each time after which the
// price is another.
type Curve struct {
	Tariff   string
	Class    gatehouse.VehicleClass
	Currency gatehouse.Currency
	From     time.Time
	For      time.Duration
	Points   []Point
}

// Point is what a stay of After costs, and longer ones up to the next point.
type Point struct {
	After time.Duration
	Minor int64
}

// MaxChart bounds a chart: every minute of it is charged.
const MaxChart = 14 * 24 * time.Hour

// Price computes the curve of stays that begin at from and last up to length, minute by
// minute, each as Charge has it. Longer than MaxChart is "tariff.chart"; errors are
// parking.Charge's, too.
func Price(v gatehouse.TariffVersion, class gatehouse.VehicleClass, from time.Time, length time.Duration) (Curve, error) {
	if length < time.Minute || length > MaxChart {
		return Curve{}, gatehouse.Errorf("tariff.chart", "say 1m to 14d", "a chart of that length cannot be drawn")
	}
	c := Curve{Tariff: v.Tariff, Class: class, Currency: v.Currency, From: from, For: length}
	stay := gatehouse.Stay{Class: class, Entered: from}
	price := func(d time.Duration) (int64, error) {
		charge, err := parking.Charge(stay, from.Add(d), v, parking.Rights{})
		return charge.Total.Minor, err
	}
	first, err := price(0)
	if err != nil {
		return c, err
	}
	last, err := price(length)
	if err != nil {
		return c, err
	}
	c.Points = append(c.Points, Point{0, first})
	return c, c.between(0, first, length, last, price)
}

// between finds the minutes at which the price changes. A price never falls with time
// (rules/parking), so that a part whose ends cost the same is not looked into.
func (c *Curve) between(from time.Duration, low int64, until time.Duration, high int64, price func(time.Duration) (int64, error)) error {
	if low == high {
		return nil
	}
	if until-from <= time.Minute {
		c.Points = append(c.Points, Point{until, high})
		return nil
	}
	middle := (from + until) / 2 / time.Minute * time.Minute
	m, err := price(middle)
	if err != nil {
		return err
	}
	if err := c.between(from, low, middle, m, price); err != nil {
		return err
	}
	return c.between(middle, m, until, high, price)
}

// at returns what a stay of d costs.
func (c Curve) at(d time.Duration) (minor int64) {
	for _, p := range c.Points {
		if p.After > d {
			break
		}
		minor = p.Minor
	}
	return minor
}

// top returns the largest price, at least one minor unit.
func (c Curve) top() int64 { return max(1, c.Points[len(c.Points)-1].Minor) }

// eighths are the blocks that a terminal draws a column's end with.
var eighths = []rune(" ▁▂▃▄▅▆▇█")

// Text draws the curve in characters: rows of blocks with the price on the left and the
// time below. width and height are those of the area of blocks, in characters.
func (c Curve) Text(w io.Writer, width, height int) error {
	label := len(gatehouse.Money{Minor: c.top(), Currency: c.Currency}.Decimal())
	for row := height; row > 0; row-- {
		left := strings.Repeat(" ", label)
		if row == height || row == (height+1)/2 && height > 4 {
			left = fmt.Sprintf("%*s", label, gatehouse.Money{Minor: c.top() * int64(row) / int64(height), Currency: c.Currency}.Decimal())
		}
		var line strings.Builder
		for column := range width {
			// The price at the column's end, so that its last step is seen.
			level := c.at(c.For*time.Duration(column+1)/time.Duration(width)) * int64(height) * 8 / c.top()
			line.WriteRune(eighths[min(8, max(0, level-int64(row-1)*8))])
		}
		if _, err := fmt.Fprintf(w, "%s │%s\n", left, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	axis := []rune(strings.Repeat("─", width))
	names := []rune(strings.Repeat(" ", width+8))
	every := tick(c.For, width/8)
	for d := every; d <= c.For; d += every {
		x := int(int64(d) * int64(width) / int64(c.For))
		axis[min(x, width)-1] = '┴'
		copy(names[max(0, x-1):], []rune(parking.Duration(d)))
	}
	_, err := fmt.Fprintf(w, "%s └%s\n%s  %s\n", strings.Repeat(" ", label), string(axis), strings.Repeat(" ", label), strings.TrimRight(string(names), " "))
	return err
}

// tick returns a round time of which at most n fit.
func tick(length time.Duration, n int) time.Duration {
	for _, d := range []time.Duration{5, 15, 30, 60, 120, 180, 360, 720, 1440, 2880} {
		if d *= time.Minute; length/d <= time.Duration(max(1, n)) {
			return d
		}
	}
	return 7 * 24 * time.Hour
}

// SVG draws the curve, without words of any language, as a picture without script, style
// sheet or font of its own, so that a page under a strict content policy may show it.
func (c Curve) SVG(w io.Writer) error {
	const width, height, left, bottom, top = 720, 320, 70, 40, 40
	x := func(d time.Duration) float64 { return left + float64(width-left-20)*float64(d)/float64(c.For) }
	y := func(minor int64) float64 {
		return float64(height-bottom) - float64(height-bottom-top)*float64(minor)/float64(c.top())
	}
	var b strings.Builder
	title := strings.Join([]string{c.Tariff, string(c.Class), c.From.Format("2006-01-02 15:04")}, " · ")
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="12" fill="currentColor">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<text x=\"%d\" y=\"20\" font-size=\"14\">%s</text>\n", escape(title), left, escape(title))
	every := tick(c.For, 8)
	for d := time.Duration(0); d <= c.For; d += every {
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="currentColor" stroke-opacity="0.15"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			x(d), top, x(d), height-bottom, x(d), height-bottom+18, parking.Duration(d))
	}
	for i := int64(0); i <= 4; i++ {
		minor := c.top() * i / 4
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="currentColor" stroke-opacity="0.15"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, y(minor), width-20, y(minor), left-6, y(minor)+4, gatehouse.Money{Minor: minor, Currency: c.Currency}.Decimal())
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-6, top-10, escape(string(c.Currency)))
	// A price holds up to the minute before the next, so the line goes in steps.
	fmt.Fprintf(&b, `<path fill="none" stroke="#2563eb" stroke-width="2" d="M%.1f %.1f`, x(0), y(c.Points[0].Minor))
	for _, p := range c.Points[1:] {
		fmt.Fprintf(&b, "H%.1fV%.1f", x(p.After-time.Minute), y(p.Minor))
	}
	fmt.Fprintf(&b, "H%.1f\"/>\n</svg>\n", x(c.For))
	_, err := io.WriteString(w, b.String())
	return err
}

// escape makes text safe between tags: names come from a file.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// FirstMonday returns the first Monday at 09:00 that is not before t: a day like most, to show
// prices by.
func FirstMonday(t time.Time) time.Time {
	m := time.Date(t.Year(), t.Month(), t.Day(), 9, 0, 0, 0, t.Location())
	for m.Before(t) || m.Weekday() != time.Monday {
		m = m.AddDate(0, 0, 1)
	}
	return m
}
