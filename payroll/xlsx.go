package payroll

import (
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// writeXLSX makes a workbook of one sheet. Text cells are text to a spreadsheet whatever
// they begin with; the same rows give the same bytes, so the workbook has no date.
func writeXLSX(titles []string, rows [][]cell) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	const sheet = "Sheet1"
	fixed := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Creator: "Gatehouse", Created: fixed, Modified: fixed}); err != nil {
		return nil, err
	}
	decimals, err := f.NewStyle(&excelize.Style{NumFmt: 2}) // 0.00
	if err != nil {
		return nil, err
	}
	n := 0
	for i, title := range titles {
		if err := f.SetCellStr(sheet, name(i, 0), title); err != nil {
			return nil, err
		}
		n = 1
	}
	for r, row := range rows {
		for i, x := range row {
			at := name(i, r+n)
			v, notNumber := strconv.ParseFloat(x.text, 64)
			if !x.number || notNumber != nil {
				err = f.SetCellStr(sheet, at, x.text)
			} else if err = f.SetCellFloat(sheet, at, v, -1, 64); err == nil {
				err = f.SetCellStyle(sheet, at, at, decimals)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func name(column, row int) string {
	s, _ := excelize.CoordinatesToCellName(column+1, row+1) // within 200 columns
	return s
}
