package eval

import (
	"bufio"
	"errors"
	"io"
	"path"
	"strings"

	"gatehouse"
)

const labelsFile = "LABELS.tsv"

// maxLine bounds a line of the labels in bytes.
const maxLine = 1 << 16

// row is one line of the labels.
type row struct {
	line   int // in the file, from 1
	path   string
	fields map[string]string
}

func (r row) field(name string) string { return r.fields[name] }

// parseLabels reads tab-separated labels whose first line names the columns; path
// and the given columns must be among them, more may be. Empty lines and a
// byte-order mark are passed over. Every error is eval.labels with the line's number.
func parseLabels(in io.Reader, columns ...string) ([]row, error) {
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 0, 4096), maxLine)
	var header []string
	var rows []row
	n := 0
	fail := func(hint, format string, args ...any) error {
		return gatehouse.Errorf("eval.labels", hint, labelsFile+", line %d: "+format, append([]any{n}, args...)...)
	}
	for scan.Scan() {
		n++
		text := strings.TrimSuffix(scan.Text(), "\r")
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		cells := strings.Split(text, "\t")
		if header == nil {
			header = cells
			for _, want := range append([]string{"path"}, columns...) {
				if count(header, want) != 1 {
					return nil, fail("the first line names the columns, with tabs between them: path, "+strings.Join(columns, ", "),
						"there is not exactly one column %q", want)
				}
			}
			continue
		}
		if len(cells) != len(header) {
			return nil, fail("separate the columns by one tab each", "%d columns, not %d", len(cells), len(header))
		}
		r := row{line: n, fields: map[string]string{}}
		for i, c := range cells {
			r.fields[header[i]] = strings.TrimSpace(c)
		}
		r.path = r.fields["path"]
		for _, want := range append([]string{"path"}, columns...) {
			if r.fields[want] == "" {
				return nil, fail("fill it in or remove the line", "the column %q is empty", want)
			}
		}
		if !inside(r.path) {
			return nil, fail("paths are relative to the folder of "+labelsFile+", with /", "the path leads out of the folder")
		}
		rows = append(rows, r)
	}
	if err := scan.Err(); err != nil {
		n++
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, fail("it should be text with one short line a picture", "the line is longer than %d bytes", maxLine)
		}
		return nil, fail("check the file", "it cannot be read: %w", err)
	}
	if len(rows) == 0 {
		return nil, fail("the first line names the columns, each further one a picture", "there are no pictures in it")
	}
	return rows, nil
}

func count(all []string, s string) (n int) {
	for _, x := range all {
		if x == s {
			n++
		}
	}
	return n
}

// inside reports whether a slash-separated path stays in its folder.
func inside(p string) bool {
	clean := path.Clean(p)
	return !path.IsAbs(p) && clean != ".." && clean != "." && !strings.HasPrefix(clean, "../") && !strings.ContainsRune(p, '\\') && !strings.ContainsRune(p, 0)
}
