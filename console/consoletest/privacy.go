package consoletest

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/inform"
)

// Papers are what the privacy officer's pages list.
type Papers struct {
	Consents []console.ConsentState
	Requests []console.RequestState // Note and Answer are their own plaintext
	Holds    []console.HoldState
	Releases []gatehouse.Release
	Erasures []console.ErasureState
	People   int
	Tripped  bool
	Running  bool     // a run of the retention
	Mail     bool     // there is a mail server
	Posted   []string // whom letters were sent to
	// Slow holds the writing of a release back until it is closed; nil writes at once.
	Slow chan struct{}
}

// papers is console.Privacy.
type papers struct{ s *Site }

func (p papers) with(f func(all *Papers) error) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.broken != nil {
		return p.s.broken
	}
	return f(&p.s.Papers)
}

func (p papers) Overview(context.Context, console.Who) (o console.PrivacyOverview, err error) {
	return o, p.with(func(all *Papers) error {
		for _, c := range all.Consents {
			switch c.State() {
			case "withdrawn":
				o.Withdrawn++
			case "lapsing":
				o.Lapsing++
				o.Given++
			default:
				o.Given++
			}
		}
		for _, r := range all.Requests {
			if r.Done.IsZero() {
				if o.Open++; p.s.now().After(r.Due) {
					o.Overdue++
				}
			}
		}
		o.Holds, o.Waiting, o.Erased, o.People = len(all.Holds), len(all.Releases), len(all.Erasures), all.People
		o.Filing, o.FilingAt = "near", 100_000
		o.Canary = console.CanaryState{Shut: all.Tripped, At: p.s.now(), Operator: "site/00000000000000000000000000000001", Lifted: []string{"anna"}}
		o.LastRetention = p.s.now().Add(-20 * time.Minute)
		o.Budgets = []console.BudgetLeft{{Scope: "operator", Window: "hour", Units: budgetOf - p.s.spent, Of: budgetOf}, {Scope: "organization", Window: "day", Units: 2200, Of: 6000}}
		return nil
	})
}

func (p papers) Find(_ context.Context, text string) (id gatehouse.SubjectID, err error) {
	for _, b := range p.s.Working.Badges() {
		if b.Label == text || b.Subject.String() == text {
			return b.Subject, nil
		}
	}
	return id, gatehouse.Errorf("subject.unknown", "", "nobody is enrolled as that")
}

func (p papers) Consents(context.Context) (out []console.ConsentState, err error) {
	return out, p.with(func(all *Papers) error { out = slices.Clone(all.Consents); return nil })
}

func (p papers) Withdraw(_ context.Context, _ console.Who, id gatehouse.SubjectID) error {
	return p.with(func(all *Papers) error {
		for i := range all.Consents {
			if all.Consents[i].Subject == id {
				all.Consents[i].Withdrawn = p.s.now()
				return nil
			}
		}
		return gatehouse.Errorf("store.not_found", "", "there is no such subject")
	})
}

func (p papers) Requests(context.Context) (out []console.RequestState, err error) {
	return out, p.with(func(all *Papers) error { out = slices.Clone(all.Requests); return nil })
}

func (p papers) one(id gatehouse.ID, f func(*console.RequestState) error) error {
	return p.with(func(all *Papers) error {
		for i := range all.Requests {
			if all.Requests[i].ID == id {
				return f(&all.Requests[i])
			}
		}
		return gatehouse.Errorf("store.not_found", "", "there is no such request")
	})
}

func (p papers) Request(_ context.Context, id gatehouse.ID) (out console.RequestState, err error) {
	return out, p.one(id, func(r *console.RequestState) error { out = *r; return nil })
}

func (p papers) ReadRequest(_ context.Context, who console.Who, id gatehouse.ID) (note, answer string, err error) {
	return note, answer, p.one(id, func(r *console.RequestState) error {
		if !p.s.unsealed {
			return gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
		}
		p.s.disclose(who, "person", "request", 20, "requests/"+id.String()+"/note")
		note, answer = string(r.Note), string(r.Answer)
		return nil
	})
}

func (p papers) OpenRequest(_ context.Context, _ console.Who, kind gatehouse.RequestKind, subject gatehouse.SubjectID, note string, contact gatehouse.RequestContact) (_ gatehouse.ID, letter error, err error) {
	now := p.s.now()
	r := console.RequestState{Request: gatehouse.Request{Place: Place, ID: gatehouse.NewID(now), Kind: kind, Subject: subject, Opened: now, Due: now.AddDate(0, 0, 30), Note: []byte(note)}}
	if !slices.Contains(gatehouse.RequestKinds, kind) {
		return r.ID, nil, gatehouse.Errorf("request.kind", "", "there is no such kind")
	}
	if contact.Email != "" {
		if !strings.Contains(contact.Email, "@") {
			return r.ID, nil, gatehouse.Errorf("request.email", "", "this is no address")
		}
		r.Contact = []byte(contact.Email)
		letter = p.post(contact.Email)
	}
	return r.ID, letter, p.with(func(all *Papers) error {
		if b, ok := p.s.Working.Badge(subject); ok {
			r.Label = b.Label
		}
		all.Requests = append([]console.RequestState{r}, all.Requests...)
		return nil
	})
}

// post sends a letter, where there is a mail server.
func (p papers) post(to string) error {
	return p.with(func(all *Papers) error {
		if !all.Mail {
			return gatehouse.Errorf("request.no_mail", "print it", "there is no mail server")
		}
		all.Posted = append(all.Posted, to)
		return nil
	})
}

func (p papers) MaySend() bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.Papers.Mail
}

func (p papers) Letter(ctx context.Context, id gatehouse.ID, lang string) (console.Letter, error) {
	r, err := p.Request(ctx, id)
	l := console.Letter{Lang: lang, Subject: "Your request about your data at acme/hq", Said: []string{"Your request has arrived."}, Facts: [][2]string{{"Request", id.String()}, {"Answer by", r.Due.Format(time.DateOnly)}}}
	if lang == "zh" {
		l.Subject, l.Said = "您就 acme/hq 所持数据提出的请求", []string{"您的请求已收到。"}
	}
	return l, err
}

func (p papers) SendLetter(ctx context.Context, who console.Who, id gatehouse.ID) error {
	r, err := p.Request(ctx, id)
	switch {
	case err != nil:
		return err
	case !p.s.unsealedNow():
		return gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
	case len(r.Contact) == 0:
		return gatehouse.Errorf("request.no_email", "print it", "there is no address")
	}
	return p.post(string(r.Contact))
}

func (s *Site) unsealedNow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsealed
}

func (p papers) ExtendRequest(_ context.Context, _ console.Who, id gatehouse.ID) error {
	return p.one(id, func(r *console.RequestState) error {
		r.Extended, r.Due = true, r.Opened.AddDate(0, 3, 0)
		return nil
	})
}

func (p papers) AnswerRequest(_ context.Context, _ console.Who, id gatehouse.ID, outcome gatehouse.RequestOutcome, words string) error {
	return p.one(id, func(r *console.RequestState) error {
		if outcome == gatehouse.RequestRefused && words == "" {
			return gatehouse.Errorf("request.text", "", "a refusal needs its reason")
		}
		r.Done, r.Outcome, r.Answer = p.s.now(), outcome, []byte(words)
		return nil
	})
}

func (p papers) Held(_ context.Context, who console.Who, id gatehouse.SubjectID, reason string) (h inform.Held, err error) {
	return h, p.with(func(*Papers) error {
		switch {
		case id.IsZero() || p.s.names[id] == "":
			return gatehouse.Errorf("subject.unknown", "", "nobody is enrolled as that")
		case reason == "":
			return gatehouse.Errorf("vault.reason", "", "this needs a reason")
		case !p.s.unsealed:
			return gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
		}
		p.s.disclose(who, "person", reason, 71, "subjects/"+id.String()+"/record")
		now := p.s.now()
		h = inform.Held{At: now, Subject: id, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: now.AddDate(0, -2, 0), Label: "Staff", Name: p.s.names[id], NationalID: "ID-4711",
			Record: json.RawMessage(`{"phone":"+49 151 0000000","unit":"Logistics"}`), Photos: [][]byte{Picture(160, 160, 20).JPEG},
			Consents: []inform.Consent{{Purpose: gatehouse.FaceAtDoors, Given: now.AddDate(0, -2, 0), How: "reference", Reference: "folder 7"}},
			Requests: []inform.Request{{Kind: gatehouse.AccessRequest, Opened: now, Note: "what do you hold?"}},
			Passages: []inform.Passage{{At: now, Gate: "front-door", Direction: gatehouse.In, By: gatehouse.FaceReading, Granted: true, Reason: gatehouse.Granted}},
			Looked:   []inform.Look{{At: now, Role: string(gatehouse.Guard), Purpose: "live", Items: 3, What: []string{"name"}}}}
		return nil
	})
}

func (p papers) HeldFile(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string, to gatehouse.Secret, w io.Writer) error {
	if len(to) < 12 {
		return gatehouse.Errorf("subject.recipient", "", "the file needs somebody who can open it")
	}
	if _, err := p.Held(ctx, who, id, reason); err != nil {
		return err
	}
	_, err := io.Copy(w, strings.NewReader("age-encryption.org/v1"))
	return err
}

func (p papers) Retention(context.Context) (out console.RetentionState, err error) {
	return out, p.with(func(all *Papers) error {
		now := p.s.now()
		for _, k := range []struct {
			name            string
			days, have, due int
		}{{"passages", 90, 90, 0}, {"frames", 7, 8, 1}, {"strangers", 3, 0, 0}, {"metadata", 1095, 400, 0}, {"records", 1095, 0, 0}} {
			kind := console.RetentionKind{Name: k.name, Days: k.days, Have: k.have, Due: k.due}
			if k.have > 0 {
				kind.Oldest = now.AddDate(0, 0, -k.have)
				kind.Next = kind.Oldest.AddDate(0, 0, k.days)
			}
			out.Kinds = append(out.Kinds, kind)
		}
		out.LastRun, out.Job = now.Add(-20*time.Minute), console.Job{Running: all.Running, Stage: "retention", Began: now}
		if !all.Running {
			out.Took = &console.RetentionReport{Days: 3, Items: 812}
		}
		return nil
	})
}

func (p papers) RunRetention(context.Context, console.Who) error {
	return p.with(func(all *Papers) error { all.Running = true; return nil })
}

func (p papers) StopRetention() {
	_ = p.with(func(all *Papers) error { all.Running = false; return nil })
}

func (p papers) Holds(context.Context) (out []console.HoldState, err error) {
	return out, p.with(func(all *Papers) error { out = slices.Clone(all.Holds); return nil })
}

func (p papers) PlaceHold(_ context.Context, who console.Who, subject gatehouse.SubjectID, day string, until time.Time, reason string) error {
	if subject.IsZero() == (day == "") {
		return gatehouse.Errorf("hold.invalid", "", "name a subject or a day")
	}
	if reason == "" {
		return gatehouse.Errorf("vault.reason", "", "this needs a reason")
	}
	return p.with(func(all *Papers) error {
		all.Holds = append(all.Holds, console.HoldState{Hold: gatehouse.Hold{Place: Place, ID: gatehouse.NewID(p.s.now()), Subject: subject, Day: day, Operator: who.Operator, Made: p.s.now(), Until: until}})
		return nil
	})
}

func (p papers) hold(id gatehouse.ID, f func(all *Papers, i int)) error {
	return p.with(func(all *Papers) error {
		i := slices.IndexFunc(all.Holds, func(h console.HoldState) bool { return h.ID == id })
		if i < 0 {
			return gatehouse.Errorf("hold.unknown", "", "there is no such hold")
		}
		f(all, i)
		return nil
	})
}

func (p papers) ExtendHold(_ context.Context, _ console.Who, id gatehouse.ID, until time.Time) error {
	return p.hold(id, func(all *Papers, i int) { all.Holds[i].Until = until })
}

func (p papers) LiftHold(_ context.Context, _ console.Who, id gatehouse.ID) error {
	return p.hold(id, func(all *Papers, i int) { all.Holds = slices.Delete(all.Holds, i, i+1) })
}

func (p papers) Releases(context.Context) (out []gatehouse.Release, err error) {
	return out, p.with(func(all *Papers) error { out = slices.Clone(all.Releases); return nil })
}

func (p papers) slow() (c chan struct{}) {
	_ = p.with(func(all *Papers) error { c = all.Slow; return nil })
	return c
}

func (p papers) WriteRelease(ctx context.Context, _ console.Who, id gatehouse.ID, w io.Writer, tell func(done, total int)) error {
	tell(1, 2)
	if slow := p.slow(); slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.with(func(all *Papers) error {
		for _, r := range all.Releases {
			if r.Request.ID == id && r.Approver != "" {
				_, err := io.Copy(w, strings.NewReader("age-encryption.org/v1"))
				return err
			}
		}
		return gatehouse.Errorf("release.not_approved", "", "nobody approved it")
	})
}

func (p papers) Erasures(context.Context) (out []console.ErasureState, err error) {
	return out, p.with(func(all *Papers) error { out = slices.Clone(all.Erasures); return nil })
}

func (p papers) Certificate(_ context.Context, id gatehouse.ID) (out []byte, err error) {
	if doc, ok := p.s.shelf.certificate(id); ok {
		return json.Marshal(doc)
	}
	return out, p.with(func(all *Papers) error {
		for _, e := range all.Erasures {
			if e.ID == id {
				out, err = json.Marshal(map[string]any{"leaf": e.Entry, "certificate": gatehouse.ErasureCertificate{ID: id, Org: Place.Org, Site: Place.Site, ErasedAt: e.At, Chains: e.Chains, Passages: e.Passages, FinalAt: e.FinalAt}})
				return err
			}
		}
		return gatehouse.Errorf("store.not_found", "", "there is no such erasure")
	})
}

func (p papers) CheckErasure(context.Context, gatehouse.ID) ([]string, error) { return nil, nil }
