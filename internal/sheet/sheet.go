// Package sheet reads tables that people send: CSV in the encodings that are in use, and
// XLSX. What arrives may be hostile: everything is bounded before it is held, nothing is
// written to a disk, and no formula is followed.
package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"gatehouse"
)

// The limits of a table.
const (
	MaxBytes   = 16 << 20 // of the file
	MaxRows    = 20_000   // below the header
	MaxColumns = 64
	MaxCell    = 2_000 // characters
)

// Table is a sheet's header and rows. A row may be shorter than the header; one that is
// empty is left out.
type Table struct {
	Header []string
	Rows   []Row
	// Encoding is how the text was read: utf-8, utf-16, gb18030, windows-1252 or xlsx.
	Encoding string
	// Date1904 says from when days are counted where a cell is one (XLSX).
	Date1904 bool
}

// Row is one row below the header.
type Row struct {
	N        int // as a spreadsheet numbers it: the header is 1
	Cells    []string
	Formulas []int // columns that hold a formula instead of a value
}

// Read reads a file: XLSX where it is one, else CSV in the named encoding, "" or "auto"
// to find out. Errors, which quote nothing of it: sheet.too_large, sheet.too_many,
// sheet.encoding, sheet.malformed, sheet.empty.
func Read(file []byte, encoding string) (Table, error) {
	if len(file) > MaxBytes {
		return Table{}, gatehouse.Errorf("sheet.too_large", "split it into several files", "the file has more than %d MiB", MaxBytes>>20)
	}
	var t Table
	var err error
	switch {
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		t, err = readXLSX(file)
	case bytes.HasPrefix(file, []byte("\xD0\xCF\x11\xE0")):
		return t, gatehouse.Errorf("sheet.malformed", "save it as .xlsx or as CSV; a workbook with a password cannot be read either", "this is a workbook of an old kind (.xls)")
	default:
		t, err = readCSV(file, encoding)
	}
	if err != nil {
		return Table{}, err
	}
	if len(t.Header) == 0 || len(t.Rows) == 0 {
		return Table{}, gatehouse.Errorf("sheet.empty", "the first row names the columns, each row below is one to enrol", "the table has no rows")
	}
	return t, nil
}

func tooMany() error {
	return gatehouse.Errorf("sheet.too_many", "split it into several files", "a table has at most %d rows and %d columns, and %d characters in a cell", MaxRows, MaxColumns, MaxCell)
}

// add appends a row of cells that is the n-th of the sheet; the first one that is not
// empty is the header.
func (t *Table) add(n int, cells []string, formulas []int) error {
	last := 0
	for i, c := range cells {
		if cells[i] = strings.TrimSpace(c); cells[i] != "" {
			last = i + 1
		}
		if len(c) > MaxCell && len([]rune(c)) > MaxCell {
			return tooMany()
		}
	}
	cells = cells[:last]
	for _, f := range formulas {
		last = max(last, f+1)
	}
	switch {
	case last > MaxColumns || len(t.Rows) >= MaxRows:
		return tooMany()
	case last == 0:
	case t.Header == nil:
		t.Header = cells
	default:
		t.Rows = append(t.Rows, Row{N: n, Cells: cells, Formulas: formulas})
	}
	return nil
}

func readCSV(file []byte, encoding string) (Table, error) {
	text, name, err := decode(file, encoding)
	if err != nil {
		return Table{}, err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return Table{}, gatehouse.Errorf("sheet.malformed", "give a CSV or XLSX file", "this is no table")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.ReuseRecord, r.Comma = -1, false, delimiter(text)
	t := Table{Encoding: name}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			line := 0
			var where *csv.ParseError
			if errors.As(err, &where) {
				line = where.StartLine
			}
			return t, gatehouse.Errorf("sheet.malformed", "look for a quotation mark that is not closed, or not doubled", "row %d is no row of a CSV file", line)
		}
		line, _ := r.FieldPos(0)
		if err := t.add(line, cells, nil); err != nil {
			return t, err
		}
	}
}

// delimiter is what the header's columns are apart by: comma, semicolon or tab.
func delimiter(text []byte) rune {
	header, _, _ := bytes.Cut(text, []byte("\n"))
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t'} {
		if n := strings.Count(string(header), string(d)); n > most {
			best, most = d, n
		}
	}
	return best
}
