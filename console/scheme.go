package console

import (
	"strings"

	"gatehouse"
)

// A pay scheme is written as lines of cells with bars between them: code | kind | title |
// formula. Figures are a name, an amount and a currency a line.

// schemeText writes a scheme as schemeForm reads it.
func schemeText(scheme []gatehouse.Earning) string {
	var lines []string
	for _, e := range scheme {
		cells := []string{string(e.Code), string(e.Kind), e.Title}
		if e.Formula != "" {
			cells = append(cells, e.Formula)
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return strings.Join(lines, "\n")
}

// schemeForm reads a scheme. Errors: hours.earnings.
func schemeForm(text string) (scheme []gatehouse.Earning, err error) {
	line := 0
	for s := range strings.Lines(text) {
		if line++; strings.TrimSpace(s) == "" {
			continue
		}
		cells := strings.SplitN(s, "|", 4)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) < 2 {
			return nil, gatehouse.Errorf("hours.earnings", "write code | kind | title | formula on each line", "this is no pay scheme")
		}
		e := gatehouse.Earning{Code: gatehouse.EarningsCode(cells[0]), Kind: gatehouse.EarningKind(cells[1]), Line: line}
		if len(cells) > 2 {
			e.Title = cells[2]
		}
		if len(cells) > 3 {
			e.Formula = cells[3]
		}
		scheme = append(scheme, e)
	}
	return scheme, nil
}

func figuresText(all map[string]gatehouse.Money) string {
	var lines []string
	for _, name := range sortedKeys(all) {
		lines = append(lines, name+" "+all[name].String())
	}
	return strings.Join(lines, "\n")
}

// figuresForm reads figures. Errors: pay.figures, money.*.
func figuresForm(text string) (map[string]gatehouse.Money, error) {
	all := map[string]gatehouse.Money{}
	for s := range strings.Lines(text) {
		words := strings.Fields(s)
		if len(words) == 0 {
			continue
		}
		if len(words) != 3 {
			return nil, gatehouse.Errorf("pay.figures", "write a name, an amount and a currency on each line", "this is no figure")
		}
		m, err := gatehouse.ParseMoney(words[1], gatehouse.Currency(words[2]))
		if err != nil {
			return nil, err
		}
		all[words[0]] = m
	}
	return all, nil
}
