package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Health says how the installation does.
type Health interface {
	// Findings are what is wrong, or will be; again looks anew. None where nobody can look.
	Findings(ctx context.Context, again bool) (Findings, error)
	Now(ctx context.Context) (HealthNow, error)
	// History is the last hours, the oldest first.
	History() []HealthSample
}

// Findings are one examination.
type Findings struct {
	At      time.Time // zero: there was none
	Verdict string    // the worst
	All     []Finding
}

// Finding is one thing that was looked at.
type Finding struct {
	Area, Name, Verdict, Reason, Do string
	Format                          string // what Reason was made of, for another language
	Args                            []any
}

// HealthNow is how the parts do at this moment.
type HealthNow struct {
	Started                              time.Time
	Version                              string
	VaultUp, Unsealed, Canary, Elsewhere bool
	Away                                 string // why a vault elsewhere cannot be reached
	ChainsWaiting                        int
	VisionUp                             bool
	VisionRestarts                       int
	AuditLag, Waiting, Unfinished        int
	Backup                               time.Time
	BackupConfigured                     bool
	Cameras, CamerasUp                   int
	FreeBytes, DiskBytes                 int64
	Certificate, LastCommit              time.Time
}

// Used is the share of the disk that is not free, 0 to 1.
func (h HealthNow) Used() float64 {
	if h.DiskBytes == 0 {
		return 0
	}
	return 1 - float64(h.FreeBytes)/float64(h.DiskBytes)
}

// HealthSample is one moment of the last hours.
type HealthSample struct {
	At                   time.Time
	Granted, Denied      int     // since the sample before
	LatencyMS            float64 // of these, their mean
	FPS                  float64 // of all cameras
	CameraLagMS          float64 // the worst camera's
	Waiting, AuditLag    int
	FreeBytes, DiskBytes int64
	HeapBytes            int64
	Unsealed             bool
}

// wellbeing is the area of an installation's health.
var wellbeing = area{
	pages:  []string{"health"},
	routes: (*Console).healthRoutes,
	nav:    []entry{{"nav.site", "health", "/health", "health.title", gatehouse.SeeStatus}},
}

func (c *Console) healthRoutes() []auth.Route {
	if c.o.Health == nil {
		return nil
	}
	see := auth.Needs(gatehouse.SeeStatus)
	return []auth.Route{
		{Pattern: "GET /health", Policy: see, Handler: c.health},
		{Pattern: "POST /health/look", Policy: see, Handler: c.lookAgain},
		{Pattern: "GET /health/history", Policy: see, Handler: c.history},
	}
}

type healthBody struct {
	HealthNow
	At       time.Time
	Verdict  string
	Worries  []findingRow // what is not in order, the worst first
	Rest     []findingArea
	Examined bool
	Charts   []chart
	Since    time.Time // of the charts; zero while there is nothing to draw
}

type findingRow struct{ Area, Verdict, Name, Reason, Do string }

type findingArea struct {
	Name string
	Rows []findingRow
}

// chart is one of the pictures: its data come from /health/history.
type chart struct {
	ID     string
	Series []string // keys of texts behind "series."
}

var healthCharts = []chart{{"passages", []string{"granted", "denied"}}, {"latency", []string{"latency"}}, {"lag", []string{"lag"}}, {"fps", []string{"fps"}},
	{"queues", []string{"waiting", "audit"}}, {"disk", []string{"free"}}, {"memory", []string{"heap"}}, {"vault", []string{"unsealed"}}}

func (c *Console) health(w http.ResponseWriter, r *http.Request) {
	now, err := c.o.Health.Now(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	found, err := c.o.Health.Findings(r.Context(), false)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	lang := languageOf(w, r)
	b := healthBody{HealthNow: now, At: found.At, Examined: !found.At.IsZero(), Verdict: oneOf(found.Verdict, "skipped", "ok", "warn", "fail"), Charts: healthCharts}
	for _, f := range found.All {
		name, reason, do := f.said(lang)
		row := findingRow{f.Area, oneOf(f.Verdict, "skipped", "ok", "warn", "fail"), name, reason, do}
		if row.Verdict == "fail" || row.Verdict == "warn" {
			b.Worries = append(b.Worries, row)
			continue
		}
		if len(b.Rest) == 0 || b.Rest[len(b.Rest)-1].Name != f.Area {
			b.Rest = append(b.Rest, findingArea{Name: f.Area})
		}
		last := &b.Rest[len(b.Rest)-1]
		last.Rows = append(last.Rows, row)
	}
	slices.SortStableFunc(b.Worries, func(a, b findingRow) int { return worse(b.Verdict) - worse(a.Verdict) })
	if samples := c.o.Health.History(); len(samples) > 1 {
		b.Since = samples[0].At
	}
	c.render(w, r, http.StatusOK, "health", "health.title", "health", b)
}

func worse(verdict string) int { return map[string]int{"warn": 1, "fail": 2}[verdict] }

// lookAgain examines anew.
func (c *Console) lookAgain(w http.ResponseWriter, r *http.Request) {
	if _, err := c.o.Health.Findings(r.Context(), true); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/health", http.StatusSeeOther)
}

// history answers with the charts' data: for each chart its columns, the times first, in
// Unix seconds.
func (c *Console) history(w http.ResponseWriter, _ *http.Request) {
	samples := c.o.Health.History()
	column := func(of func(HealthSample) float64) []float64 {
		out := make([]float64, len(samples))
		for i, s := range samples {
			out[i] = of(s)
		}
		return out
	}
	at := column(func(s HealthSample) float64 { return float64(s.At.Unix()) })
	data := map[string][][]float64{
		"passages": {at, column(func(s HealthSample) float64 { return float64(s.Granted) }), column(func(s HealthSample) float64 { return float64(s.Denied) })},
		"latency":  {at, column(func(s HealthSample) float64 { return s.LatencyMS })},
		"lag":      {at, column(func(s HealthSample) float64 { return s.CameraLagMS })},
		"fps":      {at, column(func(s HealthSample) float64 { return s.FPS })},
		"queues":   {at, column(func(s HealthSample) float64 { return float64(s.Waiting) }), column(func(s HealthSample) float64 { return float64(s.AuditLag) })},
		"disk":     {at, column(func(s HealthSample) float64 { return float64(s.FreeBytes) / (1 << 30) })},
		"memory":   {at, column(func(s HealthSample) float64 { return float64(s.HeapBytes) / (1 << 20) })},
		"vault":    {at, column(func(s HealthSample) float64 { return map[bool]float64{true: 1}[s.Unsealed] })},
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(data) // numbers: cannot fail but for a browser that went away
}
