package eval

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a run is: a bar on a terminal, a line every ten seconds
// elsewhere.
type progress struct {
	w       io.Writer
	bar     *progressbar.ProgressBar
	what    string
	n, of   int
	printed time.Time
}

func newProgress(w io.Writer, what string, of int) *progress {
	p := &progress{w: w, what: what, of: of, printed: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progress) add() {
	p.n++
	switch {
	case p.bar != nil:
		_ = p.bar.Add(1)
	case p.w != nil && time.Since(p.printed) >= 10*time.Second:
		p.printed = time.Now()
		fmt.Fprintf(p.w, "%s: %d of %d\n", p.what, p.n, p.of)
	}
}

func (p *progress) warn(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	if p.w != nil {
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
