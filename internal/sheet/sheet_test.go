package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func rows(t Table) (out [][]string) {
	out = append(out, t.Header)
	for _, r := range t.Rows {
		out = append(out, r.Cells)
	}
	return out
}

func TestEncodings(t *testing.T) {
	const chinese = "标签,姓名,部门\r\nB-1,陈志远,研发部\r\nB-2,王喆,行政部\r\n"
	const western = "label;name\r\nB-1;Zoë Müller\r\nB-2;François Peña\r\n"
	encode := func(s string, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return []byte(s)
	}
	gb := encode(simplifiedchinese.GB18030.NewEncoder().String(chinese))
	latin := encode(charmap.Windows1252.NewEncoder().String(western))
	for _, c := range []struct {
		name   string
		file   []byte
		as, is string
		text   string
	}{
		{"UTF-8", []byte(chinese), "", "utf-8", chinese},
		{"UTF-8 with a mark", []byte("\xEF\xBB\xBF" + chinese), "auto", "utf-8", chinese},
		{"UTF-16, little end first", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(chinese)), "", "utf-16", chinese},
		{"UTF-16, big end first", encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(chinese)), "", "utf-16", chinese},
		{"UTF-16 without a mark", encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(western)), "", "utf-16", western},
		{"GBK", gb, "", "gb18030", chinese},
		{"GBK, named", gb, "gbk", "gb18030", chinese},
		{"Windows, named", latin, "windows-1252", "windows-1252", western},
	} {
		got, err := Read(c.file, c.as)
		want, _ := Read([]byte(c.text), "utf-8")
		if err != nil || got.Encoding != c.is {
			t.Errorf("%s: %q, %v", c.name, got.Encoding, err)
		} else if diff := cmp.Diff(rows(want), rows(got)); diff != "" || len(got.Rows) != 2 {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	// What could be two is asked for, and a name that is wrong is not taken.
	for name, c := range map[string]struct {
		file []byte
		as   string
	}{"Windows, not named": {latin, ""}, "Windows, where each pair of bytes is a Chinese character too": {encode(charmap.Windows1252.NewEncoder().String("label\nMüller\nJürgen")), ""}, "GBK as UTF-8": {gb, "utf-8"}, "no such": {gb, "ebcdic"}} {
		if _, err := Read(c.file, c.as); gatehouse.ErrorCode(err) != "sheet.encoding" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func book(t *testing.T, fill func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func set(t *testing.T, f *excelize.File, cell string, v any) {
	t.Helper()
	if err := f.SetCellValue("Sheet1", cell, v); err != nil {
		t.Fatal(err)
	}
}

func TestAWorkbook(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		for cell, v := range map[string]any{"A1": "label", "B1": "birth_date", "C1": "number", "A2": "B-1", "B2": 32966, "C2": "0042", "A4": "B-3"} {
			set(t, f, cell, v)
		}
		if style, err := f.NewStyle(&excelize.Style{NumFmt: 14}); err != nil || f.SetCellStyle("Sheet1", "B2", "B2", style) != nil {
			t.Fatal(err)
		}
		if err := f.SetCellFormula("Sheet1", "C4", "A2&A4"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.NewSheet("Notes"); err != nil {
			t.Fatal(err)
		}
	})
	got, err := Read(file, "")
	if err != nil {
		t.Fatal(err)
	}
	want := Table{Header: []string{"label", "birth_date", "number"}, Encoding: "xlsx", Rows: []Row{{N: 2, Cells: []string{"B-1", "32966", "0042"}}, {N: 4, Cells: []string{"B-3"}, Formulas: []int{2}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func packed(t *testing.T, parts map[string]func(*bytes.Buffer)) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, fill := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		fill(&b)
		if _, err := w.Write(b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Hostile files are refused, soon, by a code, and nothing is left on a disk.
func TestHostileFiles(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	zeros := func(n int) func(*bytes.Buffer) { return func(b *bytes.Buffer) { b.Write(make([]byte, n)) } }
	bomb := packed(t, map[string]func(*bytes.Buffer){"xl/worksheets/sheet1.xml": zeros(100 << 20)})
	lying := bytes.Clone(bomb) // says that it has 1 byte
	for i := 0; i+4 < len(lying); i++ {
		if string(lying[i:i+4]) == "PK\x01\x02" {
			copy(lying[i+24:], []byte{1, 0, 0, 0})
		}
	}
	many := map[string]func(*bytes.Buffer){}
	for i := range maxParts + 1 {
		many[fmt.Sprint("a", i)] = zeros(1)
	}
	endless := packed(t, map[string]func(*bytes.Buffer){"xl/worksheets/sheet1.xml": func(b *bytes.Buffer) {
		b.WriteString("<worksheet><sheetData>")
		for range 1_000_000 {
			b.WriteString("<row/>")
		}
	}})
	laughs := packed(t, map[string]func(*bytes.Buffer){"xl/worksheets/sheet1.xml": func(b *bytes.Buffer) {
		b.WriteString(`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>`)
	}})
	for _, c := range []struct {
		name string
		file []byte
		code string
	}{
		{"a bomb", bomb, "sheet.too_large"}, {"a bomb that lies", lying, "sheet.malformed"}, {"too many parts", packed(t, many), "sheet.too_large"},
		{"a million rows", endless, "sheet.too_many"}, {"entities", laughs, "sheet.malformed"}, {"half a workbook", bomb[:len(bomb)/2], "sheet.malformed"},
		{"an old workbook", []byte("\xD0\xCF\x11\xE0xxxx"), "sheet.malformed"}, {"a picture", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00"), "sheet.encoding"},
		{"a large file", make([]byte, MaxBytes+1), "sheet.too_large"}, {"nothing", nil, "sheet.empty"}, {"a header alone", []byte("label,name\n"), "sheet.empty"},
		{"a million lines", []byte("label\n" + strings.Repeat("x\n", 1_000_000)), "sheet.too_many"}, {"an open quotation", []byte("label\n\"x\ny"), "sheet.malformed"},
		{"wide", []byte(strings.Repeat("a,", 65) + "a\nx"), "sheet.too_many"}, {"a long cell", []byte("label\n" + strings.Repeat("x", MaxCell+1)), "sheet.too_many"},
		{"zeros in text", []byte("label\nx\x00y"), "sheet.encoding"},
	} {
		if _, err := Read(c.file, ""); gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, not %s", c.name, err, c.code)
		} else if strings.Contains(err.Error(), "xxx") {
			t.Errorf("%s: the error quotes the file", c.name)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("%d temporary files, %v", len(left), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("label,name\nB-1,Ana\n"), "")
	f.Add([]byte("\xFF\xFEl\x00a\x00"), "utf-16")
	f.Add([]byte("PK\x03\x04"), "")
	f.Fuzz(func(t *testing.T, file []byte, encoding string) {
		got, err := Read(file, encoding)
		if err == nil && (len(got.Header) == 0 || len(got.Header) > MaxColumns || len(got.Rows) == 0 || len(got.Rows) > MaxRows) {
			t.Errorf("%d columns, %d rows", len(got.Header), len(got.Rows))
		}
		if err != nil && gatehouse.ErrorCode(err) == "" {
			t.Errorf("an error without a code: %v", err)
		}
	})
}
