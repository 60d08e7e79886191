package api

import (
	"net/http"
	"strconv"

	"gatehouse"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the server's numbers, in a registry of their own. Labels are gates,
// reasons and kinds, which are few; never a subject, plate or device token. Its
// methods may be called on nil, so that tests need none.
type Metrics struct {
	handler  http.Handler
	registry *prometheus.Registry
	passages *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	outcomes *prometheus.CounterVec
	restarts prometheus.Counter
	refused  *prometheus.CounterVec
	enrolled prometheus.Gauge
	unsealed prometheus.Gauge
}

// NewMetrics returns empty metrics.
func NewMetrics() *Metrics {
	m := &Metrics{
		passages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_passages_total", Help: "Committed passages."}, []string{"gate", "reason", "granted"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gatehouse_passage_latency_seconds",
			Help:    "From the deciding capture to the commit.",
			Buckets: []float64{.01, .02, .04, .06, .08, .12, .2, .4, .8, 1.6, 5}}, []string{"kind"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_outcomes_total", Help: "What happened at the gate after a grant."}, []string{"gate", "outcome"}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_vision_restarts_total", Help: "Restarts of the vision process."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_frames_refused_total",
			Help: "Posted frames that were refused because others of the device were still being looked at."}, []string{"gate"}),
		enrolled: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_enrolled", Help: "Enrolled people and vehicles."}),
		unsealed: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_vault_unsealed", Help: "1 while the vault is unsealed."}),
	}
	r := prometheus.NewRegistry()
	r.MustRegister(m.passages, m.latency, m.outcomes, m.restarts, m.refused, m.enrolled, m.unsealed)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry = r
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

// Passage counts a committed passage.
func (m *Metrics) Passage(p gatehouse.Passage) {
	if m != nil {
		m.passages.WithLabelValues(string(p.Gate), string(p.Decision.Reason), strconv.FormatBool(p.Decision.Grant)).Inc()
		m.latency.WithLabelValues(string(p.Kind)).Observe(p.Latency.Seconds())
	}
}

// Outcome counts what a gate's sensor said.
func (m *Metrics) Outcome(gate gatehouse.GateID, o gatehouse.Outcome) {
	if m != nil {
		m.outcomes.WithLabelValues(string(gate), string(o)).Inc()
	}
}

// VisionRestarted counts a restart of the vision process.
func (m *Metrics) VisionRestarted() {
	if m != nil {
		m.restarts.Inc()
	}
}

// FrameRefused counts a posted frame that was not taken.
func (m *Metrics) FrameRefused(gate gatehouse.GateID) {
	if m != nil {
		m.refused.WithLabelValues(string(gate)).Inc()
	}
}

// Enrolled says how many subjects there are.
func (m *Metrics) Enrolled(n int) {
	if m != nil {
		m.enrolled.Set(float64(n))
	}
}

// Vault says whether the vault is unsealed.
func (m *Metrics) Vault(unsealed bool) {
	if m != nil {
		m.unsealed.Set(0)
		if unsealed {
			m.unsealed.Set(1)
		}
	}
}
