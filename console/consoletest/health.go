package consoletest

import (
	"context"
	"math"
	"time"

	"gatehouse/console"
)

// wellbeing is console.Health: an installation with two worries and six hours behind it.
type wellbeing struct{ s *Site }

func (h wellbeing) Findings(context.Context, bool) (console.Findings, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	finding := func(area, name, verdict, do, format string) console.Finding {
		return console.Finding{Area: area, Name: name, Verdict: verdict, Reason: format, Do: do, Format: format}
	}
	return console.Findings{At: h.s.now(), Verdict: "fail", All: []console.Finding{
		finding("configuration", "site", "ok", "", "there are no backups"),
		finding("disk", "swap", "warn", "switch it off or encrypt it, and set LimitMEMLOCK=infinity: the server's memory holds the gate key and templates", "/dev/sda2 is in use"),
		finding("disk", "encryption", "skipped", "", "whether the disk is encrypted cannot be told; what is stored is sealed either way"),
		finding("keys", "backup age", "fail", "run `gatehouse backup now`, or see the server's log", "no backup was made yet"),
	}}, h.s.broken
}

func (h wellbeing) Now(context.Context) (console.HealthNow, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return console.HealthNow{Started: h.s.now().Add(-50 * time.Hour), Version: "0.1.0", VaultUp: true, Unsealed: h.s.unsealed, VisionUp: true, VisionRestarts: 1, AuditLag: 2, BackupConfigured: true,
		Cameras: 2, CamerasUp: 1, FreeBytes: 41 << 30, DiskBytes: 118 << 30}, h.s.broken
}

func (h wellbeing) History() (all []console.HealthSample) {
	for i := range 720 {
		busy := 1 + math.Sin(float64(i)/90)
		all = append(all, console.HealthSample{At: h.s.now().Add(time.Duration(i-720) * 30 * time.Second), Granted: int(9 * busy), Denied: i % 17 / 16, LatencyMS: 58 + 20*busy, FPS: 9.8, CameraLagMS: 80 + float64(i%50),
			Waiting: i % 40 / 39, FreeBytes: 41<<30 + int64(720-i)<<20, DiskBytes: 118 << 30, HeapBytes: 90<<20 + int64(i%60)<<20, Unsealed: i > 500})
	}
	return all
}
