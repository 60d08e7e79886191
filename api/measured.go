package api

import (
	"context"
	"strconv"
	"sync"
	"time"

	"gatehouse/api/wire"

	"github.com/prometheus/client_golang/prometheus"
)

// measureEvery is how long what was asked counts, and measureWithin how long the asking
// may take: scrapes come as often as somebody likes.
const (
	measureEvery  = 5 * time.Second
	measureWithin = 5 * time.Second
)

// Depths are queues by name: how much waits in each.
type Depths func() map[string]int

// measured turns a site's health into metrics, when they are asked for.
type measured struct {
	health func(ctx context.Context) (wire.Health, error)
	depths Depths

	mu    sync.Mutex
	at    time.Time
	last  wire.Health
	known bool
}

// Measure adds the site's health, and queue depths, to the metrics. It is called once.
func (m *Metrics) Measure(health func(ctx context.Context) (wire.Health, error), depths Depths) {
	if m != nil {
		m.registry.MustRegister(&measured{health: health, depths: depths})
	}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("gatehouse_"+name, help, labels, nil)
}

var (
	processUp    = desc("process_up", "1 while a supervised process answers.", "process")
	processAgain = desc("process_restarts_total", "How often a supervised process was started again.", "process")
	vaultCanary  = desc("vault_canary", "1 after a canary was opened, until it is lifted.")
	vaultWaiting = desc("vault_waiting_chains", "Chains whose rows wait for a vault on another machine.")
	budgetLeft   = desc("budget_left_units", "What the organization's disclosure budget still holds, in units.", "window")
	auditLag     = desc("audit_lag_leaves", "Committed changes that are not in the audit log yet; at most 10000 are counted.")
	witnessAge   = desc("audit_witness_age_seconds", "Since a witness took the audit log; absent until it did.", "witness")
	backupAge    = desc("backup_age_seconds", "Since the newest backup; absent where there is none.")
	backupCheck  = desc("backup_verified_age_seconds", "Since the backups were checked; absent until then.")
	backupTarget = desc("backup_target_reachable", "1 while the backups' target can be read; absent without one.")
	retentionAge = desc("retention_age_seconds", "Since retention ran; absent until it did.")
	unfinished   = desc("unfinished_verbs", "Enrolments, erasures and rotations that were begun and are not finished.")
	certificate  = desc("tls_certificate_end_timestamp_seconds", "When the TLS certificate that is shown ends; absent without TLS.")
	started      = desc("start_timestamp_seconds", "When the server started.")
	queueDepth   = desc("queue_depth", "How much waits in a queue.", "queue")
	cameraUp     = desc("camera_up", "1 while a camera gives pictures.", "device", "gate")
	cameraFPS    = desc("camera_frames_per_second", "Frames decoded, over the last 10 s.", "device", "gate")
	cameraLag    = desc("camera_lag_seconds", "From the receipt of the newest frame that was looked at to when that was done.", "device", "gate")
	cameraAge    = desc("camera_frame_age_seconds", "Since the newest frame; absent before the first.", "device", "gate")
	cameraLost   = desc("camera_frames_dropped_total", "Frames that a newer one replaced before they were looked at.", "device", "gate")
	cameraAgain  = desc("camera_reconnects_total", "How often a camera was connected to again.", "device", "gate")
)

// Describe implements prometheus.Collector.
func (m *measured) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{processUp, processAgain, vaultCanary, vaultWaiting, budgetLeft, auditLag, witnessAge, backupAge, backupCheck, backupTarget,
		retentionAge, unfinished, certificate, started, queueDepth, cameraUp, cameraFPS, cameraLag, cameraAge, cameraLost, cameraAgain} {
		all <- d
	}
}

func (m *measured) now() (wire.Health, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.at) < measureEvery {
		return m.last, m.known
	}
	ctx, cancel := context.WithTimeout(context.Background(), measureWithin)
	defer cancel()
	h, err := m.health(ctx)
	m.at, m.last, m.known = time.Now(), h, err == nil
	return m.last, m.known
}

// Collect implements prometheus.Collector.
func (m *measured) Collect(out chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { put(d, prometheus.GaugeValue, v, labels...) }
	for queue, n := range m.depths() {
		gauge(queueDepth, float64(n), queue)
	}
	h, ok := m.now()
	if !ok {
		return // what is not known is left out, and alarms on absence say so
	}
	since := func(d *prometheus.Desc, t time.Time, labels ...string) {
		if !t.IsZero() {
			gauge(d, time.Since(t).Seconds(), labels...)
		}
	}
	for name, p := range map[string]wire.ProcessState{"vault": h.Vault.ProcessState, "vision": h.Vision} {
		gauge(processUp, one(p.Up), name)
		put(processAgain, prometheus.CounterValue, float64(p.Restarts), name)
	}
	gauge(vaultCanary, one(h.Vault.Canary))
	gauge(vaultWaiting, float64(h.Vault.Waiting))
	for window, units := range h.Vault.Left {
		gauge(budgetLeft, float64(units), window)
	}
	gauge(auditLag, float64(h.Audit.Lag))
	for _, w := range h.Audit.Witnesses {
		since(witnessAge, w.Reached, strconv.Itoa(w.Witness))
	}
	since(backupAge, h.Backup.Last)
	since(backupCheck, h.Backup.Verified)
	if h.Backup.Configured {
		gauge(backupTarget, one(h.Backup.Reachable))
	}
	since(retentionAge, h.Retained)
	gauge(unfinished, float64(h.Unfinished))
	if !h.Certificate.IsZero() {
		gauge(certificate, float64(h.Certificate.Unix()))
	}
	gauge(started, float64(h.Started.Unix()))
	for _, c := range h.Cameras {
		labels := []string{string(c.Device), string(c.Gate)}
		gauge(cameraUp, one(c.State == "ok"), labels...)
		gauge(cameraFPS, c.FPS, labels...)
		gauge(cameraLag, float64(c.LagMS)/1000, labels...)
		since(cameraAge, c.LastFrame, labels...)
		put(cameraLost, prometheus.CounterValue, float64(c.Dropped), labels...)
		put(cameraAgain, prometheus.CounterValue, float64(c.Reconnects), labels...)
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
