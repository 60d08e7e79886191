package console

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
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

// sending is a file on its way, whose headers go with its first bytes.
type sending struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	begin func()
	begun bool
}

func (s *sending) Write(b []byte) (int, error) {
	if !s.begun {
		s.begin()
		s.begun = true
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	n, err := s.w.Write(b)
	if err == nil {
		if err = s.rc.Flush(); errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	return n, err
}

// sendWhole sends what write writes while it is written, and breaks it off where that fails:
// a browser shows that. What fails before the first bytes went is a page.
func (c *Console) sendWhole(w http.ResponseWriter, r *http.Request, kind, name string, write func(io.Writer) error) {
	s := &sending{w: w, rc: http.NewResponseController(w), begin: func() { attachment(w, kind, name) }}
	out := bufio.NewWriterSize(s, 64<<10)
	err := write(out)
	if err == nil {
		err = out.Flush()
	}
	switch {
	case err == nil:
		_ = s.rc.SetWriteDeadline(time.Time{})
	case s.begun:
		if r.Context().Err() == nil {
			c.o.Log.Warn("a file was broken off", "err", err)
		}
		panic(http.ErrAbortHandler)
	default:
		c.fail(w, r, err)
	}
}
