package sheet

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/xuri/excelize/v2"
)

// BenchmarkRead reads the largest tables that are taken: 20,000 rows of 16 columns.
func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for row := range MaxRows + 1 {
		cells := make([]any, 16)
		for i := range cells {
			cells[i] = fmt.Sprintf("cell %d of %d", i, row)
			fmt.Fprintf(&text, "%s,", cells[i])
		}
		text.WriteByte('\n')
		if err := w.SetRow(fmt.Sprintf("A%d", row+1), cells); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	var book bytes.Buffer
	if err := f.Write(&book); err != nil {
		b.Fatal(err)
	}
	for name, file := range map[string][]byte{"CSV": text.Bytes(), "XLSX": book.Bytes()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if t, err := Read(file, ""); err != nil || len(t.Rows) != MaxRows {
					b.Fatal(len(t.Rows), err)
				}
			}
		})
	}
}
