package payroll

import (
	"regexp"
	"strconv"
	"strings"

	"gatehouse"
)

// ADP makes the file of paydata that ADP Workforce Now imports: a row for each person and
// extra code, with the columns that the import names (Co Code, Batch ID and File # are its
// first three and needed). Hours of Regular go to Reg Hours, those of Overtime to O/T Hours;
// every other code to Hours 3 under ADP's own code for it, and amounts without hours to
// Earnings 3. Source: ADP Marketplace, "Automated Paydata Integration for ADP Workforce
// Now", fields; the file's name as other exporters document it. ADP's own specification is
// behind its portal: the widths here are cautious, and codes, and which columns a company
// has set up, are the company's own. Try a file with ADP before you rely on it.
type ADP struct {
	Company string // Co Code: 2 or 3 letters or digits
	Batch   string // Batch ID: 1 to 10 letters or digits
	// Regular and Overtime are the codes of the first two hours columns.
	Regular, Overtime []gatehouse.EarningsCode
	// Hours and Earnings are ADP's codes of the others.
	Hours, Earnings map[gatehouse.EarningsCode]string
}

var (
	adpHeader  = []string{"Co Code", "Batch ID", "File #", "Reg Hours", "O/T Hours", "Hours 3 Code", "Hours 3 Amount", "Earnings 3 Code", "Earnings 3 Amount", "Temp Dept", "Temp Cost Number"}
	adpCompany = regexp.MustCompile(`^[A-Z0-9]{2,3}$`)
	adpBatch   = regexp.MustCompile(`^[A-Za-z0-9]{1,10}$`)
	adpFile    = regexp.MustCompile(`^[0-9]{1,6}$`)
	adpCode    = regexp.MustCompile(`^[A-Za-z0-9]{1,3}$`)
)

// FileName is the name that the import asks for: PRcccEPI.csv, with an underscore behind a
// company code of two.
func (a ADP) FileName() string {
	return "PR" + (a.Company + "_")[:3] + "EPI.csv"
}

// Write makes the file, or says what is wrong and makes none.
func (a ADP) Write(rows []Row) ([]byte, []Problem) {
	var found []Problem
	if !adpCompany.MatchString(a.Company) {
		found = append(found, Problem{Code: "export.adp", Reason: "Co Code is 2 or 3 capital letters or digits"})
	}
	if !adpBatch.MatchString(a.Batch) {
		found = append(found, Problem{Code: "export.adp", Reason: "Batch ID is 1 to 10 letters or digits"})
	}
	var cells [][]cell
	var open []string // the person and place of the last row, for hours that still fit into it
	for i, r := range sorted(rows) {
		bad := func(reason string) { found = append(found, Problem{i + 1, "export.adp", reason}) }
		if !adpFile.MatchString(r.Number) {
			bad("File # is 1 to 6 digits")
		}
		if l := r.Line; len(l.CostCentre) > 6 || len(l.Project) > 25 || !safe(l.CostCentre) || !safe(l.Project) {
			bad("Temp Dept has at most 6 characters, Temp Cost Number at most 25, and neither begins as a formula would")
		}
		column, text, code, why := a.place(r.Line)
		if why != "" {
			bad(why)
		}
		if text == "" {
			continue
		}
		who := []string{r.Number, r.Line.CostCentre, r.Line.Project}
		if n := len(cells); n == 0 || strings.Join(open, "\x00") != strings.Join(who, "\x00") || cells[n-1][column].text != "" {
			row := make([]cell, len(adpHeader))
			row[0].text, row[1].text, row[2].text, row[9].text, row[10].text = a.Company, a.Batch, r.Number, r.Line.CostCentre, r.Line.Project
			cells, open = append(cells, row), who
		}
		row := cells[len(cells)-1]
		row[column].text = text
		if code != "" {
			row[column-1].text = code
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	return writeCSV(adpHeader, cells, 0), nil
}

// place says which column a line goes to; text "" for a line that has neither hours nor an
// amount.
func (a ADP) place(l gatehouse.PayLine) (column int, text, code, why string) {
	has := func(list []gatehouse.EarningsCode) bool {
		for _, c := range list {
			if c == l.Code {
				return true
			}
		}
		return false
	}
	switch {
	case l.Minutes != 0 && (l.Minutes < 0 || l.Minutes > 999*60):
		return 3, "", "", "hours are 0 to 999"
	case l.Minutes != 0 && has(a.Regular):
		return 3, Hours(l.Minutes), "", ""
	case l.Minutes != 0 && has(a.Overtime):
		return 4, Hours(l.Minutes), "", ""
	case l.Minutes != 0:
		if code = a.Hours[l.Code]; !adpCode.MatchString(code) {
			return 6, "", "", "an hours code of ADP, 1 to 3 letters or digits, is missing"
		}
		return 6, Hours(l.Minutes), code, ""
	case l.Amount.Minor < 0:
		return 8, "", "", "a deduction is no earning: set it up in ADP"
	case l.Amount.Minor != 0:
		if code = a.Earnings[l.Code]; !adpCode.MatchString(code) {
			return 8, "", "", "an earnings code of ADP, 1 to 3 letters or digits, is missing"
		}
		return 8, l.Amount.Decimal(), code, ""
	}
	return 0, "", "", ""
}

// Paychex makes the file of Paychex Flex's Standard Payroll Import: sixteen columns in a
// fixed order, all present. Source: Paychex, "SPI Specification Sheet"; the header's words
// as in Deltek Costpoint's "Export File Specifications" for it. A line has hours or an
// amount, never both, and no rate: the rates set up at Paychex hold.
type Paychex struct {
	Client string // Client ID: 1 to 8 letters or digits
	// Components are the names of Pay Components as they are set up, case included.
	Components map[gatehouse.EarningsCode]string
	// Org and Job take a line's cost centre and project where they are set.
	Org, Job bool
}

var (
	paychexHeader = []string{"CLIENT ID", "WORKER ID", "ORG", "JOB NUMBER", "PAY COMPONENT", "RATE", "RATE NUMBER", "HOURS", "UNITS", "LINE DATE", "AMOUNT", "CHECK SEQ NUMBER", "OVERRIDE STATE", "OVERRIDE LOCAL",
		"OVERRIDE LOCAL JURISDICTION", "LABOR ASSIGNMENT"}
	paychexClient = regexp.MustCompile(`^[A-Za-z0-9]{1,8}$`)
	paychexWorker = regexp.MustCompile(`^[A-Za-z0-9]{1,10}$`)
	paychexOrg    = regexp.MustCompile(`^[A-Za-z0-9]{1,6}(\|[A-Za-z0-9]{1,6}){0,9}$`)
	paychexName   = regexp.MustCompile(`^[^\x00-\x1F+<>=;*%,"]{1,20}$`)
	paychexJob    = regexp.MustCompile(`^[^\x00-\x1F+<>=;*%,"]{1,25}$`)
)

// Write makes the file, or says what is wrong and makes none.
func (p Paychex) Write(rows []Row) ([]byte, []Problem) {
	var found []Problem
	if !paychexClient.MatchString(p.Client) {
		found = append(found, Problem{Code: "export.paychex", Reason: "Client ID is 1 to 8 letters or digits"})
	}
	var cells [][]cell
	for i, r := range sorted(rows) {
		bad := func(reason string) { found = append(found, Problem{i + 1, "export.paychex", reason}) }
		l := r.Line
		row := make([]cell, len(paychexHeader))
		row[0].text, row[1].text, row[4].text, row[9].text = p.Client, r.Number, p.Components[l.Code], written(r.Date, "01/02/2006")
		if !paychexWorker.MatchString(r.Number) {
			bad("Worker ID is 1 to 10 letters or digits")
		}
		if name := row[4].text; !paychexName.MatchString(name) || !safe(name) {
			bad("the name of a Pay Component, at most 20 characters, is missing for " + strconv.Quote(string(l.Code)))
		}
		if row[9].text == "" {
			bad("Line Date is missing")
		}
		if p.Org && l.CostCentre != "" {
			if row[2].text = l.CostCentre; !paychexOrg.MatchString(l.CostCentre) {
				bad("Org is up to 10 levels of at most 6 characters, with bars between them")
			}
		}
		if p.Job && l.Project != "" {
			if row[3].text = l.Project; !paychexJob.MatchString(l.Project) || !safe(l.Project) {
				bad("Job Number has at most 25 characters")
			}
		}
		switch {
		case l.Minutes != 0:
			if row[7].text = Hours(l.Minutes); len(row[7].text) > 7 || l.Minutes > 999*60 {
				bad("Hours are -999.99 to 999.99")
			}
		case l.Amount.Minor != 0:
			// A deduction is a component of its own, and its amount is written as what is taken.
			amount := l.Amount
			if amount.Minor < 0 {
				amount = amount.Neg()
			}
			row[10].text = amount.Decimal()
		default:
			continue
		}
		cells = append(cells, row)
	}
	if len(found) > 0 {
		return nil, found
	}
	return writeCSV(paychexHeader, cells, 0), nil
}
