package console

import (
	"encoding/csv"
	"errors"
	"net/http"
	"time"
)

// tableFile is a table on its way to a browser as CSV (RFC 4180). It is sent while it is
// read, so that it begins at once, however long it gets. Whatever goes wrong on the way
// breaks the connection off before the answer's end, which a browser shows as a download
// that failed: half a table must not look like a whole one.
type tableFile struct {
	rc  *http.ResponseController
	out *csv.Writer
	err error // that the browser went away
}

// beginFile announces a file, named after its place in the console, and writes its first line.
// Nothing may be wrong any more that a page could say.
func (c *Console) beginFile(w http.ResponseWriter, name string, header []string) *tableFile {
	attachment(w, "text/csv; charset=utf-8", name+"-"+c.o.Now().In(c.o.Location).Format(time.DateOnly)+".csv")
	_, _ = w.Write([]byte("\ufeff")) // or a spreadsheet takes it for its own encoding
	f := &tableFile{rc: http.NewResponseController(w), out: csv.NewWriter(w)}
	f.row(header)
	return f
}

func (f *tableFile) row(cells []string) {
	for i := range cells {
		cells[i] = harmless(cells[i])
	}
	if err := f.out.Write(cells); err != nil {
		f.err = err
	}
}

// sent sends what was written so far, and reports whether there is still somebody to send to.
func (f *tableFile) sent() bool {
	_ = f.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	f.out.Flush()
	if f.err == nil {
		f.err = f.out.Error()
	}
	if err := f.rc.Flush(); f.err == nil && !errors.Is(err, http.ErrNotSupported) {
		f.err = err
	}
	return f.err == nil
}

// end ends the file; with an error it breaks it off.
func (f *tableFile) end(err error) {
	if !f.sent() || err != nil {
		panic(http.ErrAbortHandler) // net/http's way to say that an answer is not whole
	}
	_ = f.rc.SetWriteDeadline(time.Time{})
}

// file answers with a table that is there already.
func (c *Console) file(w http.ResponseWriter, name string, header []string, rows [][]string) {
	f := c.beginFile(w, name, header)
	for _, row := range rows {
		f.row(row)
	}
	f.out.Flush()
}

// batches writes a file of what next gives, piece by piece, until it says that this was the
// last one. An error of the first piece is a page; a later one breaks the file off.
func (c *Console) batches(w http.ResponseWriter, r *http.Request, name string, header []string, next func() (rows [][]string, last bool, err error)) {
	rows, last, err := next()
	if err != nil {
		c.fail(w, r, err)
		return
	}
	f := c.beginFile(w, name, header)
	for err == nil {
		for _, row := range rows {
			f.row(row)
		}
		if last || !f.sent() {
			break
		}
		if err = r.Context().Err(); err == nil {
			rows, last, err = next()
		}
	}
	if err != nil && r.Context().Err() == nil {
		c.o.Log.Warn("a file was broken off", "file", name, "err", err)
	}
	f.end(err)
}
