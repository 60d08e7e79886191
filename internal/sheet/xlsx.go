package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"gatehouse"

	"github.com/xuri/excelize/v2"
)

// The limits of a workbook's parts, unpacked. A sheet of MaxRows rows has some megabytes.
const (
	maxUnpacked = 48 << 20
	maxParts    = 500
)

func malformed() error {
	return gatehouse.Errorf("sheet.malformed", "save it again as .xlsx, without a password, or as CSV", "this is no workbook that can be read")
}

// readXLSX reads the first sheet. Values are taken raw: a date is the number that it is,
// since a cell's format says how to show it and not what was meant.
func readXLSX(file []byte) (Table, error) {
	formulas, err := inspect(file)
	if err != nil {
		return Table{}, err
	}
	// Equal limits: what is larger is an error, where excelize would else unpack it to a
	// temporary file. There is no such directory, either.
	book, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked, TmpDir: "/nonexistent"})
	if err != nil {
		return Table{}, malformed()
	}
	defer book.Close()
	t := Table{Encoding: "xlsx"}
	if p, err := book.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		t.Date1904 = *p.Date1904
	}
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return Table{}, malformed()
	}
	rows, err := book.Rows(sheets[0])
	if err != nil {
		return Table{}, malformed()
	}
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return Table{}, malformed()
		}
		if err := t.add(n, cells, formulas[n]); err != nil {
			return Table{}, err
		}
	}
	if rows.Error() != nil {
		return Table{}, malformed()
	}
	return t, nil
}

// inspect unpacks every part, to be counted and not kept, before anything else reads the
// file: what a zip says of its sizes may be a lie. It returns which columns of which rows
// of the first sheet hold formulas.
func inspect(file []byte) (map[int][]int, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, malformed()
	}
	if len(z.File) > maxParts {
		return nil, bomb()
	}
	var book, links []byte
	left := int64(maxUnpacked)
	parts := map[string]*zip.File{}
	for _, part := range z.File {
		name := strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(part.Name, `\`, "/")), "/"))
		if part.UncompressedSize64 > uint64(left) {
			return nil, bomb()
		}
		r, err := part.Open()
		if err != nil {
			return nil, malformed()
		}
		var keep bytes.Buffer
		into := io.Discard
		if name == "xl/workbook.xml" || name == "xl/_rels/workbook.xml.rels" {
			into = io.Writer(&keep)
		}
		n, err := io.Copy(into, io.LimitReader(r, left+1))
		r.Close()
		if left -= n; left < 0 {
			return nil, bomb()
		}
		if err != nil {
			return nil, malformed()
		}
		switch name {
		case "xl/workbook.xml":
			book = keep.Bytes()
		case "xl/_rels/workbook.xml.rels":
			links = keep.Bytes()
		}
		parts[name] = part
	}
	first := parts[firstSheet(book, links)]
	if first == nil {
		return nil, malformed()
	}
	r, err := first.Open()
	if err != nil {
		return nil, malformed()
	}
	defer r.Close()
	return formulasOf(r)
}

func bomb() error {
	return gatehouse.Errorf("sheet.too_large", "save only the values into a new workbook, or use CSV", "unpacked, the workbook has more than %d MiB, or too many parts", maxUnpacked>>20)
}

// firstSheet is the part that holds the workbook's first sheet.
func firstSheet(book, links []byte) string {
	var b struct {
		Sheets []struct {
			ID string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var l struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if xml.Unmarshal(book, &b) != nil || xml.Unmarshal(links, &l) != nil || len(b.Sheets) == 0 {
		return "xl/worksheets/sheet1.xml"
	}
	for _, link := range l.All {
		if link.ID == b.Sheets[0].ID {
			target := link.Target
			if !strings.HasPrefix(target, "/") {
				target = "/xl/" + target
			}
			return strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))
		}
	}
	return "xl/worksheets/sheet1.xml"
}

// formulasOf finds the cells that hold a formula, by row, in a sheet's XML.
func formulasOf(r io.Reader) (map[int][]int, error) {
	found := map[int][]int{}
	d := xml.NewDecoder(r)
	cell, rows := "", 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, malformed()
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "row":
			if rows++; rows > 2*MaxRows {
				return nil, tooMany()
			}
		case "c":
			cell = ""
			for _, a := range start.Attr {
				if a.Name.Local == "r" {
					cell = a.Value
				}
			}
		case "f":
			column, row, err := excelize.CellNameToCoordinates(cell)
			if err != nil {
				return nil, malformed()
			}
			found[row] = append(found[row], column-1)
		}
	}
}
