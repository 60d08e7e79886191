package sheet

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// Cell is one cell of a table that is written: text, or a number as it is written in
// decimals.
type Cell struct {
	Text   string
	Number bool
}

// safe keeps a spreadsheet from taking text for a formula: what begins as one gets an
// apostrophe before it, which spreadsheets show as text (OWASP, CSV injection).
func safe(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

// CSV writes a table row by row, as RFC 4180 in UTF-8: CRLF, quotes where they are needed.
type CSV struct{ out *csv.Writer }

// NewCSV begins a table with its titles.
func NewCSV(w io.Writer, titles []string) (CSV, error) {
	c := CSV{csv.NewWriter(w)}
	c.out.UseCRLF = true
	return c, c.out.Write(titles)
}

// Row writes a row.
func (c CSV) Row(r []Cell) error {
	record := make([]string, len(r))
	for i, cell := range r {
		if record[i] = cell.Text; !cell.Number {
			record[i] = safe(cell.Text)
		}
	}
	return c.out.Write(record)
}

// End ends the table.
func (c CSV) End() error {
	c.out.Flush()
	return c.out.Error()
}

// WriteCSV writes a whole table as CSV does.
func WriteCSV(titles []string, rows [][]Cell) []byte {
	var b bytes.Buffer // takes everything
	w, _ := NewCSV(&b, titles)
	for _, r := range rows {
		_ = w.Row(r)
	}
	_ = w.End()
	return b.Bytes()
}

// WriteXLSX makes a workbook of one sheet. Text cells are text to a spreadsheet whatever they
// begin with; the same rows give the same bytes.
func WriteXLSX(titles []string, rows [][]Cell) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	fixed := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Creator: "Gatehouse", Created: fixed, Modified: fixed}); err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	head := make([]any, len(titles))
	for i, t := range titles {
		head[i] = t
	}
	if err := w.SetRow("A1", head); err != nil {
		return nil, err
	}
	for n, r := range rows {
		record := make([]any, len(r))
		for i, c := range r {
			record[i] = c.Text
			if v, err := strconv.ParseFloat(c.Text, 64); c.Number && err == nil {
				record[i] = v
			}
		}
		if err := w.SetRow("A"+strconv.Itoa(n+2), record); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
