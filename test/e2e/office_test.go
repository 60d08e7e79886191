package e2e

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/console/consoletest"
	"gatehouse/rules/privacy"
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

	papers(s, now)
}

// papers are those of the privacy officer; the first request and erasure are the newest.
func papers(s *consoletest.Site, now time.Time) {
	people, _ := s.People(context.Background(), gatehouse.SubjectID{}, 6)
	p := &s.Papers
	p.People = 81_204
	for i, one := range people {
		c := console.ConsentState{Consent: gatehouse.Consent{Place: consoletest.Place, Subject: one.Badge.Subject, Purpose: gatehouse.FaceAtDoors, Given: now.AddDate(0, -i, -3), How: "terminal"}, Label: one.Badge.Label}
		switch i {
		case 1:
			c.Withdrawn = now.AddDate(0, 0, -2)
		case 2:
			c.ValidUntil, c.Lapsing = now.AddDate(0, 0, 11), true
		}
		p.Consents = append(p.Consents, c)
	}
	for i, kind := range []gatehouse.RequestKind{gatehouse.AccessRequest, gatehouse.ErasureRequest, gatehouse.CorrectionRequest, gatehouse.ExportRequest} {
		opened := now.AddDate(0, 0, -12*i-1)
		r := console.RequestState{Request: gatehouse.Request{Place: consoletest.Place, ID: gatehouse.NewID(opened), Kind: kind, Subject: people[i].Badge.Subject, Opened: opened,
			Due: privacy.Answer(opened, time.UTC), Note: []byte("by letter")}, Label: people[i].Badge.Label}
		if i == 2 {
			r.Done, r.Outcome, r.Answer = now.AddDate(0, 0, -3), gatehouse.RequestGranted, []byte("the name was put right")
		}
		p.Requests = append(p.Requests, r)
	}
	hold := gatehouse.Hold{Place: consoletest.Place, ID: gatehouse.NewID(now), Subject: people[3].Badge.Subject, Operator: "site/3f1c9a2b7d4e5f60718293a4b5c6d7e8", Made: now.AddDate(0, -1, 0), Until: now.AddDate(0, 5, 0), Items: 214}
	day := hold
	day.ID, day.Subject, day.Day, day.Items = gatehouse.NewID(now), gatehouse.SubjectID{}, now.AddDate(0, 0, -9).Format(time.DateOnly), 0
	p.Holds = []console.HoldState{{Hold: hold, Label: people[3].Badge.Label}, {Hold: day}}
	asked := gatehouse.Release{Request: gatehouse.ReleaseRequest{ID: gatehouse.NewID(now), At: now.Add(-time.Hour), Operator: "anna", Purpose: "authority"}, Count: 310, Expires: now.AddDate(0, 0, 7)}
	approved := asked
	approved.Request.ID, approved.Approver, approved.Approved, approved.Count = gatehouse.NewID(now), "bert", now, 12
	p.Releases = []gatehouse.Release{asked, approved}
	for i := range 3 {
		at := now.AddDate(0, 0, -9*i)
		p.Erasures = append(p.Erasures, console.ErasureState{ID: gatehouse.NewID(at), At: at, Chains: 3 + i, Passages: 120 * i, FinalAt: at.AddDate(0, 0, 33), Entry: int64(91_000 - 700*i)})
	}
}

// officePages are the pages of who looks after privacy, the log and the machine.
func officePages(s *consoletest.Site) map[string]string {
	return map[string]string{"devices": "/devices", "privacy": "/privacy", "consents": "/privacy/consents", "requests": "/privacy/requests", "request": "/privacy/requests/" + s.Papers.Requests[0].ID.String(),
		"retention": "/privacy/retention", "holds": "/privacy/holds", "releases": "/privacy/releases", "erasures": "/privacy/erasures", "erasure": "/privacy/erasures/" + s.Papers.Erasures[0].ID.String()}
}
