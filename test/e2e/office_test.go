package e2e

import (
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/console/consoletest"
)

// office fills a site with what a privacy officer, an auditor and an administrator see.
func office(s *consoletest.Site) {
	now := time.Now()
	device := func(id gatehouse.DeviceID, kind gatehouse.DeviceKind, gate gatehouse.GateID, state, shows string) console.DeviceState {
		return console.DeviceState{Device: gatehouse.Device{Place: consoletest.Place, ID: id, Kind: kind, Gate: gate}, State: state, Shows: shows, Last: now.Add(-3 * time.Second)}
	}
	front, lane := device("front-camera", gatehouse.Camera, "front-door", "ok", "none"), device("entry-camera", gatehouse.Camera, "car-park", "stalled", "none")
	front.Reads, front.FPS, front.Lag, front.Dropped = true, 4.9, 84*time.Millisecond, 12
	lane.Reads, lane.FPS, lane.Lag, lane.Dropped, lane.Reconnects = true, 0.2, 2900*time.Millisecond, 1381, 4
	gone := device("old-reader", gatehouse.Reader, "front-door", "", "revoked")
	gone.Last = time.Time{}
	s.Equipment = []console.DeviceState{lane, front, gone, device("reader-1", gatehouse.Reader, "front-door", "ok", "key"), device("tablet-1", gatehouse.Terminal, "front-door", "ok", "key")}
}
