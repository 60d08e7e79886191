package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/erase"
	"gatehouse/flow/expire"
	"gatehouse/flow/inform"
	"gatehouse/rules/privacy"
	"gatehouse/rules/retention"
	"gatehouse/vault"

	"filippo.io/age"
)

// Overview implements console.Privacy.
func (p pages) Overview(ctx context.Context, who console.Who) (o console.PrivacyOverview, err error) {
	now := time.Now()
	consents, err := p.Consents(ctx)
	if err != nil {
		return o, err
	}
	for _, c := range consents {
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
	requests, err := p.Requests(ctx)
	if err != nil {
		return o, err
	}
	for _, r := range requests {
		if !r.Done.IsZero() {
			continue
		}
		if o.Open++; now.After(r.Due) {
			o.Overdue++
		} else if o.Next.IsZero() || r.Due.Before(o.Next) {
			o.Next = r.Due
		}
	}
	holds, err := p.vault.Holds(ctx, p.site.Place)
	if err != nil {
		return o, err
	}
	releases, err := p.Releases(ctx)
	if err != nil {
		return o, err
	}
	for _, r := range releases {
		if now.Before(r.Expires) && r.Written.IsZero() {
			if r.Approver == "" {
				o.Waiting++
			} else {
				o.Approved++
			}
		}
	}
	erasures, err := p.Erasures(ctx)
	if err != nil {
		return o, err
	}
	for _, e := range erasures {
		if now.Sub(e.At) < 30*24*time.Hour {
			o.Erased++
		}
	}
	if o.Canary, err = p.Canary(ctx); err != nil {
		return o, err
	}
	o.Holds = len(holds)
	o.People, _ = p.working.Count()
	o.Filing, o.FilingAt = string(privacy.FilingOf(o.People)), privacy.Filing
	p.mu.Lock()
	o.LastRetention = p.retained
	p.mu.Unlock()
	o.Budgets, err = p.Budget(ctx, who)
	return o, err
}

// Find implements console.Privacy.
func (p pages) Find(ctx context.Context, text string) (gatehouse.SubjectID, error) {
	unknown := gatehouse.Errorf("subject.unknown", "look it up on the page of people", "nobody is enrolled as that")
	if id, err := gatehouse.ParseID(text); err == nil {
		s, err := p.store.Subject(ctx, p.site.Place, id)
		if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && s.Status == gatehouse.ErasedStatus {
			return id, unknown
		}
		return id, err
	}
	switch found := p.working.ByLabel(text); len(found) {
	case 0:
		return gatehouse.SubjectID{}, unknown
	case 1:
		return found[0], nil
	}
	return gatehouse.SubjectID{}, gatehouse.Errorf("subject.several", "give the id", "several have this label")
}

func (s *Server) label(id gatehouse.SubjectID) string {
	b, _ := s.working.Badge(id)
	return b.Label
}

// Consents implements console.Privacy.
func (p pages) Consents(ctx context.Context) (all []console.ConsentState, err error) {
	err = p.store.EachConsent(ctx, p.site.Place, func(c gatehouse.Consent) error {
		b, _ := p.working.Badge(c.Subject)
		all = append(all, console.ConsentState{Consent: c, Label: b.Label, ValidUntil: b.ValidUntil, Lapsing: privacy.Lapsing(b.ValidUntil, time.Now())})
		return nil
	})
	slices.SortStableFunc(all, func(a, b console.ConsentState) int { return b.Given.Compare(a.Given) })
	return all, err
}

// Withdraw implements console.Privacy.
func (p pages) Withdraw(ctx context.Context, who console.Who, id gatehouse.SubjectID) error {
	return p.adminOf(who.Operator).WithdrawConsent(ctx, id)
}

// maxRequests is how many requests are listed.
const maxRequests = 5000

// Requests implements console.Privacy.
func (p pages) Requests(ctx context.Context) (all []console.RequestState, err error) {
	var before gatehouse.ID
	for len(all) < maxRequests {
		page, err := p.store.Requests(ctx, p.site.Place, before, 1000)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			before, all = r.ID, append(all, console.RequestState{Request: r, Label: p.label(r.Subject)})
		}
		if len(page) < 1000 {
			break
		}
	}
	return all, nil
}

// Request implements console.Privacy.
func (p pages) Request(ctx context.Context, id gatehouse.ID) (console.RequestState, error) {
	r, err := p.store.Request(ctx, p.site.Place, id)
	return console.RequestState{Request: r, Label: p.label(r.Subject)}, err
}

// ReadRequest implements console.Privacy.
func (p pages) ReadRequest(ctx context.Context, who console.Who, id gatehouse.ID) (note, answer string, err error) {
	r, err := p.store.Request(ctx, p.site.Place, id)
	if err != nil {
		return "", "", err
	}
	var refs []gatehouse.SealedRef
	var into []*string
	for _, part := range []struct {
		field  string
		sealed []byte
		into   *string
	}{{"note", r.Note, &note}, {"answer", r.Answer, &answer}} {
		if len(part.sealed) > 0 {
			refs, into = append(refs, gatehouse.SealedRef{Where: gatehouse.RequestContext(p.site.Place, id, part.field), Sealed: part.sealed}), append(into, part.into)
		}
	}
	plain, err := p.lend.As(who.Role).OpenFor(ctx, who.Operator, "person", "request "+id.String(), refs)
	for i, b := range plain {
		*into[i] = string(b)
	}
	return note, answer, err
}

// OpenRequest implements console.Privacy.
func (p pages) OpenRequest(ctx context.Context, who console.Who, kind gatehouse.RequestKind, subject gatehouse.SubjectID, note string, contact gatehouse.RequestContact) (_ gatehouse.ID, letter error, err error) {
	r, err := p.requests.Open(ctx, who.Operator, kind, subject, note, contact)
	p.committed()
	if err == nil && contact.Email != "" {
		letter = p.post(ctx, who, r, contact)
	}
	return r.ID, letter, err
}

// ExtendRequest implements console.Privacy.
func (p pages) ExtendRequest(ctx context.Context, who console.Who, id gatehouse.ID) error {
	defer p.committed()
	return p.requests.Extend(ctx, who.Operator, id)
}

// AnswerRequest implements console.Privacy.
func (p pages) AnswerRequest(ctx context.Context, who console.Who, id gatehouse.ID, outcome gatehouse.RequestOutcome, text string) error {
	defer p.committed()
	return p.requests.Answer(ctx, who.Operator, id, outcome, text)
}

// Held implements console.Privacy.
func (p pages) Held(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string) (inform.Held, error) {
	ports := p.informs()
	ports.Open = func(ctx context.Context, reason string, refs []gatehouse.SealedRef) ([][]byte, error) {
		plain, err := p.lend.As(who.Role).OpenFor(ctx, who.Operator, "person", reason, refs)
		if gatehouse.ErrorCode(err) == "vault.canary" {
			p.shutByCanary(ctx)
		}
		return plain, err
	}
	return inform.Gather(ctx, ports, id, reason)
}

// informs are what telling people about their data needs, but for opening it.
func (s *Server) informs() inform.Ports {
	return inform.Ports{Place: s.site.Place, Subjects: s.store, Passages: s.store, Privacy: s.store, Hours: s.store, Pay: s.store, Blobs: s.blobs, Badges: s.working, Log: s.vault, Parking: s.heldParking()}
}

// leastWord is how long a passphrase of a file must be, in bytes.
const leastWord = 12

// HeldFile implements console.Privacy.
func (p pages) HeldFile(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string, to gatehouse.Secret, w io.Writer) error {
	recipient, err := recipientOf(to.Reveal())
	if err != nil {
		return err // before anything is opened
	}
	h, err := p.Held(ctx, who, id, reason)
	if err != nil {
		return err
	}
	sealed, err := age.Encrypt(w, recipient)
	if err != nil {
		return err
	}
	out := json.NewEncoder(sealed)
	out.SetIndent("", "  ")
	return errors.Join(out.Encode(h), sealed.Close())
}

func recipientOf(to string) (age.Recipient, error) {
	bad := gatehouse.Errorf("subject.recipient", "give a passphrase of at least 12 characters, or an age recipient (age1…)", "the file needs somebody who can open it")
	if strings.HasPrefix(to, "age1") {
		r, err := age.ParseX25519Recipient(to)
		if err != nil {
			return nil, bad
		}
		return r, nil
	}
	if len(to) < leastWord {
		return nil, bad
	}
	r, err := age.NewScryptRecipient(to)
	if err != nil {
		return nil, bad
	}
	return r, nil
}

// Retention implements console.Privacy.
func (p pages) Retention(ctx context.Context) (out console.RetentionState, err error) {
	now := time.Now()
	policy := p.current().Retention.policy()
	days, err := p.vault.Days(ctx, p.site.Place)
	if err != nil {
		return out, err
	}
	for _, k := range []struct {
		name  string
		class gatehouse.RetentionClass
		keep  time.Duration
	}{{"passages", gatehouse.PassageClass, policy.Passages}, {"frames", gatehouse.FrameClass, policy.Frames}, {"strangers", gatehouse.StrangerClass, policy.Strangers},
		{"metadata", gatehouse.ReasonClass, policy.Metadata}, {"records", "", policy.Records}} {
		kind := console.RetentionKind{Name: k.name, Days: int(k.keep / retention.Day)}
		first := retention.FirstKept(now, k.keep)
		for _, d := range days {
			if d.Class != k.class {
				continue
			}
			if kind.Have++; d.Day.Before(first) {
				kind.Due++
			}
			if kind.Oldest.IsZero() || d.Day.Before(kind.Oldest) {
				kind.Oldest, kind.Next = d.Day, d.Day.Add(k.keep)
			}
		}
		out.Kinds = append(out.Kinds, kind)
	}
	p.mu.Lock()
	out.LastRun = p.retained
	p.mu.Unlock()
	state, took := p.console.retention.now()
	if out.Job = state; took != nil {
		out.Took = &console.RetentionReport{Days: took.Days, Delayed: took.Delayed, Items: took.Items, Months: took.Months, Erased: took.Erased, Holds: took.Holds}
	}
	return out, nil
}

// RunRetention implements console.Privacy.
func (p pages) RunRetention(context.Context, console.Who) error {
	return p.console.retention.start(p.Server, "retention", func(ctx context.Context, _ func(string, int64, int64)) (expire.Report, error) {
		return p.runRetention(ctx)
	})
}

// StopRetention implements console.Privacy.
func (p pages) StopRetention() { p.console.retention.stop() }

// Holds implements console.Privacy.
func (p pages) Holds(ctx context.Context) (all []console.HoldState, err error) {
	list, err := p.vault.Holds(ctx, p.site.Place)
	for _, h := range list {
		all = append(all, console.HoldState{Hold: h, Label: p.label(h.Subject)})
	}
	return all, err
}

// PlaceHold implements console.Privacy.
func (p pages) PlaceHold(ctx context.Context, who console.Who, subject gatehouse.SubjectID, day string, until time.Time, reason string) error {
	_, err := p.adminOf(who.Operator).AddHold(ctx, wire.HoldRequest{Subject: subject, Day: day, Until: until, Reason: reason})
	return err
}

// ExtendHold implements console.Privacy.
func (p pages) ExtendHold(ctx context.Context, who console.Who, id gatehouse.ID, until time.Time) error {
	_, err := p.adminOf(who.Operator).ExtendHold(ctx, id, wire.HoldEndRequest{Until: until})
	return err
}

// LiftHold implements console.Privacy.
func (p pages) LiftHold(ctx context.Context, who console.Who, id gatehouse.ID) error {
	_, err := p.adminOf(who.Operator).LiftHold(ctx, id)
	return err
}

// Releases implements console.Privacy.
func (p pages) Releases(ctx context.Context) ([]gatehouse.Release, error) {
	list, err := p.vault.Releases(ctx)
	slices.SortStableFunc(list, func(a, b gatehouse.Release) int { return b.Request.At.Compare(a.Request.At) })
	return list, err
}

// WriteRelease implements console.Privacy.
func (p pages) WriteRelease(ctx context.Context, who console.Who, id gatehouse.ID, w io.Writer, tell func(done, total int)) error {
	return p.adminOf(who.Operator).writeRelease(ctx, id, false, w, tell)
}

// maxErasures is how many erasures are listed.
const maxErasures = 1000

// Erasures implements console.Privacy: the audit log is the list, which nobody can take
// anything out of.
func (p pages) Erasures(ctx context.Context) (all []console.ErasureState, err error) {
	var before int64
	for len(all) < maxErasures {
		leaves, next, err := p.vault.AuditLeaves(ctx, vault.LeafQuery{Before: before, Kind: gatehouse.EraseLeafKind, Limit: maxErasures})
		if err != nil {
			return nil, err
		}
		for _, l := range leaves {
			if e, ok := erasureOf(l); ok {
				all = append(all, e)
			}
		}
		if before = next; next == 0 {
			break
		}
	}
	return all, nil
}

// erasureOf reads the leaf of a certificate, as ErasureCertificate.Leaf writes it; ok is
// false for another one.
func erasureOf(l vault.NumberedLeaf) (e console.ErasureState, ok bool) {
	_, at, parts, err := gatehouse.LeafParts(l.Leaf)
	if err != nil || len(parts) != 8 || string(parts[0]) != "erased" {
		return e, false
	}
	id, err1 := gatehouse.ParseID(string(parts[1]))
	chains, err2 := strconv.Atoi(string(parts[5]))
	passages, err3 := strconv.Atoi(string(parts[6]))
	final, err4 := strconv.ParseInt(string(parts[7]), 10, 64)
	return console.ErasureState{ID: id, At: at, Chains: chains, Passages: passages, FinalAt: time.UnixMilli(final), Entry: l.Index}, errors.Join(err1, err2, err3, err4) == nil
}

// Certificate implements console.Privacy.
func (p pages) Certificate(ctx context.Context, id gatehouse.ID) ([]byte, error) {
	e, err := p.admin().Erasure(ctx, id)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(e, "", "  ")
}

// CheckErasure implements console.Privacy.
func (p pages) CheckErasure(ctx context.Context, id gatehouse.ID) ([]string, error) {
	e, err := p.admin().Erasure(ctx, id)
	if err != nil {
		return nil, err
	}
	keys, err := p.vault.AuditKeys(ctx)
	if err != nil {
		return nil, err
	}
	// Without a proof yet there is nothing to be wrong with it; the page says that it comes.
	if err := erase.Document(e).VerifyProof(keys.Log); err != nil && len(e.Proof) > 0 {
		var said *gatehouse.Error
		if errors.As(err, &said) {
			return []string{said.Public()}, nil
		}
		return nil, err
	}
	f, err := p.admin().CheckErasure(ctx, e)
	return f.Findings, err
}
