package consoletest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/disclose"
	"gatehouse/flow/enroll"
	"gatehouse/flow/erase"
	"gatehouse/flow/intake"
	"gatehouse/flow/workingset"
	"gatehouse/internal/sheet"
)

// shelf keeps what enrolling stores, in memory. What is "sealed" on it is marked and can be
// read: tests of the sealing are the vault's.
type shelf struct {
	gatehouse.WorkingStore // ReplaceWorking: nobody calls it here
	s                      *Site
	subjects               map[gatehouse.SubjectID]gatehouse.Subject
	consents               map[gatehouse.SubjectID][]gatehouse.Consent
	blobs                  map[gatehouse.BlobID][]byte
	intents                map[gatehouse.ID]gatehouse.Intent
	gallery                map[gatehouse.SubjectID][][]float32
	erased                 map[gatehouse.ID]erase.Document
	erasing                map[gatehouse.ID]erase.Progress
}

const sealedMark = "sealed:"

// openRegistry makes who is enrolled: the real flows over a shelf.
func (s *Site) openRegistry() console.Registry {
	d := &shelf{s: s, subjects: map[gatehouse.SubjectID]gatehouse.Subject{}, consents: map[gatehouse.SubjectID][]gatehouse.Consent{}, blobs: map[gatehouse.BlobID][]byte{},
		intents: map[gatehouse.ID]gatehouse.Intent{}, gallery: map[gatehouse.SubjectID][][]float32{}, erased: map[gatehouse.ID]erase.Document{}, erasing: map[gatehouse.ID]erase.Progress{}}
	working, err := workingset.Load(context.Background(), Place, workingShelf{d}, d, d)
	if err != nil {
		panic(err)
	}
	s.shelf, s.Working = d, working
	s.Enroller = enroll.New(enroll.Ports{Place: Place, Eyes: eyes{}, Gallery: d, Threshold: func(int) float32 { return 0.9 }, Fault: fault, Sealer: d, Keep: d, Subjects: d, Blobs: d, Working: working, Now: s.now,
		Join: func(ctx context.Context, by string, group gatehouse.GroupID, id gatehouse.SubjectID) error {
			return s.Rules.AddMembers(ctx, by, group, []gatehouse.SubjectID{id})
		}})
	s.Imports = intake.NewJobs(importDesk{s}, s.now)
	return console.Registry{Enroller: s.Enroller, Badges: working, Store: d, Records: d, Erasures: d, Imports: s.Imports, CheckGrants: s.checkGrants,
		Schedules: func() []string { return []string{"nights", "office-hours"} },
		ReadTable: func(file []byte, encoding string) (intake.Table, error) {
			t, err := sheet.Read(file, encoding)
			out := intake.Table{Header: t.Header, Encoding: t.Encoding}
			for _, row := range t.Rows {
				out.Rows = append(out.Rows, intake.Row(row))
			}
			return out, err
		}}
}

func (s *Site) checkGrants(all []gatehouse.Grant) error {
	for _, g := range all {
		if g.Gate != "*" && !slices.ContainsFunc(s.Gates, func(x gatehouse.Gate) bool { return x.ID == g.Gate }) {
			return gatehouse.Errorf("grant.unknown_gate", "", "there is no such gate")
		}
		if !slices.Contains([]string{"always", "nights", "office-hours"}, g.Schedule) {
			return gatehouse.Errorf("grant.unknown_schedule", "", "there is no such schedule")
		}
	}
	return nil
}

// Subjects are who is enrolled by now.
func (s *Site) Subjects() (all []gatehouse.Subject) {
	_ = s.shelf.Roll(context.Background(), Place, func(x gatehouse.Subject) error {
		whole, err := s.shelf.Subject(context.Background(), Place, x.ID)
		all = append(all, whole)
		return err
	})
	return all
}

// ConsentsOf are somebody's.
func (s *Site) ConsentsOf(id gatehouse.SubjectID) []gatehouse.Consent {
	all, _ := s.shelf.Consents(context.Background(), Place, id)
	return all
}

// TemplatesOf says how many descriptions of somebody's face there are.
func (s *Site) TemplatesOf(id gatehouse.SubjectID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.shelf.gallery[id])
}

// eyes see what the photo's size and name say: see Photo.
type eyes struct{}

// Photo is a picture on which the eyes of this site see one face of the person n, or what
// flaw says: dark, blurred, small, turned, two, none.
func Photo(n int, flaw string) []byte {
	return append(Picture(96, 96, uint8(16*n)).JPEG, []byte("\nface:"+string(rune('a'+n))+":"+flaw)...)
}

// See implements gatehouse.Eyes. A picture that says nothing shows one good face of nobody.
func (eyes) See(_ context.Context, img gatehouse.Image, _ gatehouse.Look) (gatehouse.Observation, error) {
	if !bytes.HasPrefix(img.Bytes, []byte("\xFF\xD8")) && !bytes.HasPrefix(img.Bytes, []byte("\x89PNG")) {
		return gatehouse.Observation{}, gatehouse.Errorf("image.damaged", "", "no picture")
	}
	who, flaw := 0, ""
	if _, says, ok := bytes.Cut(img.Bytes, []byte("\nface:")); ok && len(says) >= 2 {
		who, flaw = int(says[0]-'a')+1, string(says[2:])
	}
	template := make([]float32, 32)
	template[who%32] = 1
	face := gatehouse.FaceSeen{Box: gatehouse.Box{W: 60, H: 60}, Template: template, Quality: gatehouse.FaceQuality{EyeDistance: 70, Sharpness: 90, Brightness: 120}}
	faces := []gatehouse.FaceSeen{face}
	switch flaw {
	case "dark":
		faces[0].Quality.Brightness = 9
	case "blurred":
		faces[0].Quality.Sharpness = 2
	case "small":
		faces[0].Quality.EyeDistance = 9
	case "turned":
		faces[0].Quality.Yaw = 70
	case "two":
		faces = append(faces, face)
	case "none":
		faces = nil
	}
	return gatehouse.Observation{Width: 96, Height: 96, Faces: faces}, nil
}

func fault(q gatehouse.FaceQuality) (code, sentence string) {
	switch {
	case q.EyeDistance < 24:
		return "face.small", "small"
	case q.Brightness < 30:
		return "face.dark", "dark"
	case q.Sharpness < 12:
		return "face.blurred", "blurred"
	case q.Yaw > 40:
		return "face.turned", "turned"
	}
	return "", ""
}

// What a sealer, a keeper, a gallery and stores do, on the shelf.

func (d *shelf) Seal(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.RetentionClass, _ gatehouse.SealContext, plain []byte, _ gatehouse.Padding) ([]byte, error) {
	return append([]byte(sealedMark), plain...), nil
}
func (d *shelf) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}
func (d *shelf) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}
func (d *shelf) SealWorking(_ gatehouse.SealContext, b []byte) ([]byte, error)          { return b, nil }
func (d *shelf) OpenWorking(_ gatehouse.SealContext, b []byte) ([]byte, error)          { return b, nil }
func (d *shelf) Rotate(gatehouse.Place, [32]byte)                                       {}
func (d *shelf) Turn(t []float32, _, _ [32]byte) []float32                              { return t }

func (d *shelf) Add(_ gatehouse.Place, id gatehouse.SubjectID, _ gatehouse.ID, t []float32) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.gallery[id] = append(d.gallery[id], t)
	return nil
}
func (d *shelf) Remove(_ gatehouse.Place, id gatehouse.SubjectID) int {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	n := len(d.gallery[id])
	delete(d.gallery, id)
	return n
}
func (d *shelf) Size(gatehouse.Place) int {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return len(d.gallery)
}
func (d *shelf) Nearest(_ gatehouse.Place, t []float32) (gatehouse.Match, bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	best := gatehouse.Match{Similarity: -2}
	for id, all := range d.gallery {
		for _, have := range all {
			var dot float32
			for i := range t {
				dot += t[i] * have[i]
			}
			if dot > best.Similarity {
				best = gatehouse.Match{Subject: id, Similarity: dot}
			}
		}
	}
	return best, len(d.gallery) > 0
}

func (d *shelf) PutBlob(_ context.Context, id gatehouse.BlobID, b []byte) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.blobs[id] = b
	return nil
}
func (d *shelf) Blob(_ context.Context, id gatehouse.BlobID) ([]byte, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.blobs[id], nil
}
func (d *shelf) DeleteBlob(_ context.Context, id gatehouse.BlobID) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	delete(d.blobs, id)
	return nil
}
func (d *shelf) EachBlob(context.Context, func(gatehouse.BlobID, time.Time) error) error { return nil }

func (d *shelf) PutSubject(_ context.Context, c gatehouse.SubjectCommit) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.s.broken != nil {
		return d.s.broken
	}
	d.subjects[c.Subject.ID] = c.Subject
	if parts, err := gatehouse.UnpackRecord(c.Subject.Record); err == nil {
		d.s.names[c.Subject.ID] = strings.TrimPrefix(string(parts.Name), sealedMark)
	}
	return nil
}
func (d *shelf) Subject(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	s, ok := d.subjects[id]
	if !ok {
		return s, gatehouse.Errorf("store.not_found", "", "there is no such subject")
	}
	return s, d.s.broken
}
func (d *shelf) Subjects(context.Context, gatehouse.Place, gatehouse.SubjectID, int) ([]gatehouse.Subject, error) {
	return d.s.Subjects(), nil
}
func (d *shelf) Roll(_ context.Context, _ gatehouse.Place, f func(gatehouse.Subject) error) error {
	d.s.mu.Lock()
	all := slices.Collect(maps.Values(d.subjects))
	broken := d.s.broken
	d.s.mu.Unlock()
	slices.SortFunc(all, func(a, b gatehouse.Subject) int { return b.Enrolled.Compare(a.Enrolled) })
	for _, s := range all {
		if err := f(gatehouse.Subject{Place: s.Place, ID: s.ID, Kind: s.Kind, Status: s.Status, Enrolled: s.Enrolled}); err != nil {
			return err
		}
	}
	return broken
}
func (d *shelf) SetStatus(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID, to gatehouse.SubjectStatus, _ []byte) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	s := d.subjects[id]
	s.Status = to
	d.subjects[id] = s
	return nil
}
func (d *shelf) PutConsent(_ context.Context, c gatehouse.Consent, _ []byte) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	all := slices.DeleteFunc(d.consents[c.Subject], func(h gatehouse.Consent) bool { return h.Purpose == c.Purpose && h.Given.Equal(c.Given) })
	d.consents[c.Subject] = append(all, c)
	return nil
}
func (d *shelf) Consents(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return slices.Clone(d.consents[id]), nil
}
func (d *shelf) PutDevice(context.Context, gatehouse.Device, []byte) error { return nil }
func (d *shelf) Devices(context.Context, gatehouse.Place) ([]gatehouse.Device, error) {
	return nil, nil
}
func (d *shelf) BeginIntent(_ context.Context, i gatehouse.Intent) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.intents[i.ID] = i
	return nil
}
func (d *shelf) FinishIntent(_ context.Context, id gatehouse.ID) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	delete(d.intents, id)
	return nil
}
func (d *shelf) Intents(context.Context) ([]gatehouse.Intent, error) { return nil, nil }

// SubjectPassages implements console.RegistryStore.
func (d *shelf) SubjectPassages(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID, since time.Time, f func(gatehouse.ID, []gatehouse.BlobID) error) error {
	d.s.mu.Lock()
	var ids []gatehouse.ID
	for _, p := range d.s.stored {
		if p.Passage.Subject == id && !p.Passage.At.Before(since) {
			ids = append(ids, p.Passage.ID)
		}
	}
	d.s.mu.Unlock()
	for _, p := range ids {
		if err := f(p, nil); err != nil {
			return err
		}
	}
	return nil
}

// workingShelf keeps no items: the working set has them in memory.
type workingShelf struct{ *shelf }

func (workingShelf) PutWorking(context.Context, []gatehouse.WorkingItem) error     { return nil }
func (workingShelf) ReplaceWorking(context.Context, []gatehouse.WorkingItem) error { return nil }
func (workingShelf) DeleteWorking(context.Context, gatehouse.Place, gatehouse.SubjectID, ...gatehouse.WorkingKind) error {
	return nil
}
func (workingShelf) Working(context.Context, func(gatehouse.WorkingItem) error) error { return nil }

// charge takes units for an opening and writes it down first.
func (d *shelf) charge(who console.Who, reason string, units int, items ...string) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	switch {
	case !d.s.unsealed:
		return gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
	case d.s.spent+units > budgetOf:
		return gatehouse.Errorf("vault.budget", "wait", "the budget for the hour is spent")
	}
	d.s.spent += units
	d.s.disclose(who, "person", reason, units, items...)
	return nil
}

// Record implements console.Records.
func (d *shelf) Record(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string, numbered bool) (disclose.Record, error) {
	s, err := d.Subject(ctx, Place, id)
	if err != nil {
		return disclose.Record{}, err
	}
	units, items := 11, []string{"subjects/" + id.String() + "/name", "subjects/" + id.String() + "/record"}
	if numbered {
		units, items = 61, append(items, "subjects/"+id.String()+"/national_id")
	}
	if err := d.charge(who, reason, units, items...); err != nil {
		return disclose.Record{}, err
	}
	parts, err := gatehouse.UnpackRecord(s.Record)
	open := func(b []byte) []byte { return bytes.TrimPrefix(b, []byte(sealedMark)) }
	r := disclose.Record{Name: string(open(parts.Name)), Rest: open(parts.Rest)}
	if numbered {
		r.NationalID = string(open(parts.NationalID))
	}
	return r, err
}

// Photos implements console.Records.
func (d *shelf) Photos(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string) (out [][]byte, err error) {
	s, err := d.Subject(ctx, Place, id)
	if err == nil {
		err = d.charge(who, reason, 10*len(s.Photos), "subjects/"+id.String()+"/photos")
	}
	for _, p := range s.Photos {
		b, _ := d.Blob(ctx, p.Blob)
		out = append(out, bytes.TrimPrefix(b, []byte(sealedMark)))
	}
	return out, err
}

// HeldMoney implements console.Erasures: nobody has a pass here.
func (*shelf) HeldMoney(context.Context, gatehouse.SubjectID) ([]gatehouse.Money, error) {
	return nil, nil
}

// Erase implements console.Erasures: the flow's own tests say what it does.
func (d *shelf) Erase(ctx context.Context, who console.Who, erasure gatehouse.ID, id gatehouse.SubjectID, reason, _ string) error {
	if known, _ := d.Known(ctx, id); !known {
		return gatehouse.Errorf("erase.unknown", "", "there is nothing of such a subject here")
	}
	d.s.mu.Lock()
	wait := d.s.Erasing
	d.erasing[erasure] = erase.Progress{ID: erasure, Stage: erase.Waits, Began: d.s.now()}
	d.s.mu.Unlock()
	defer func() {
		d.s.mu.Lock()
		defer d.s.mu.Unlock()
		delete(d.erasing, erasure)
	}()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return gatehouse.Errorf("erase.stopped", "", "it was stopped")
		}
	}
	if err := d.s.Working.RemoveSubject(ctx, id); err != nil {
		return err
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	delete(d.subjects, id)
	delete(d.consents, id)
	delete(d.s.names, id)
	fresh := gatehouse.RandomID()
	for i := range d.s.stored {
		if d.s.stored[i].Passage.Subject == id {
			d.s.stored[i].Passage.Subject = fresh
		}
	}
	now := d.s.now().UTC()
	proof, _ := json.Marshal(map[string]any{"hash": sha256.Sum256([]byte(who.Operator + reason))})
	doc := erase.Document{Leaf: 41, Proof: proof, Certificate: gatehouse.ErasureCertificate{ID: erasure, Org: Place.Org, Site: Place.Site, Subject: id, ErasedAt: now, Chains: 2, Passages: 3, FinalAt: now.AddDate(0, 0, 33)}}
	d.erased[doc.Certificate.ID] = doc
	return nil
}

// Known implements console.Erasures.
func (d *shelf) Known(ctx context.Context, id gatehouse.SubjectID) (bool, error) {
	if _, err := d.Subject(ctx, Place, id); err == nil {
		return true, nil
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return slices.ContainsFunc(d.s.stored, func(p gatehouse.StoredPassage) bool { return p.Passage.Subject == id }), nil
}

// Erasing implements console.Erasures.
func (d *shelf) Erasing(context.Context) ([]erase.Progress, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return slices.Collect(maps.Values(d.erasing)), nil
}

// certificate is that of an erasure.
func (d *shelf) certificate(id gatehouse.ID) (erase.Document, bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	doc, ok := d.erased[id]
	return doc, ok
}

// importDesk enrols what a table says.
type importDesk struct{ s *Site }

func (d importDesk) Check(_ context.Context, n intake.Newcomer) error {
	if err := d.s.checkGrants(n.Grants); err != nil {
		return err
	}
	if n.Vehicle != nil {
		return d.s.Enroller.CheckVehicle(enroll.Vehicle{Label: n.Label, Record: *n.Vehicle})
	}
	return d.s.Enroller.CheckPerson(enroll.Person{Label: n.Label, Record: *n.Person, Later: true, Card: n.Card, PIN: n.PIN, QR: n.QR, ValidFrom: n.ValidFrom, ValidUntil: n.ValidUntil})
}

func (d importDesk) Enrol(ctx context.Context, by string, n intake.Newcomer) (gatehouse.SubjectID, error) {
	if n.Vehicle != nil {
		return d.s.Enroller.Vehicle(ctx, enroll.Vehicle{Label: n.Label, Record: *n.Vehicle, Grants: n.Grants, Into: enroll.Membership{By: by, Groups: n.Groups}})
	}
	return d.s.Enroller.Person(ctx, enroll.Person{Label: n.Label, Record: *n.Person, Later: true, Grants: n.Grants, Into: enroll.Membership{By: by, Groups: n.Groups}, Card: n.Card, PIN: n.PIN, QR: n.QR, ValidFrom: n.ValidFrom, ValidUntil: n.ValidUntil})
}

func (d importDesk) Groups() []gatehouse.Group { return d.s.Rules.Groups() }

func (d importDesk) Labels(kind gatehouse.SubjectKind) map[string]bool {
	labels := map[string]bool{}
	for _, b := range d.s.Working.Badges() {
		if b.Kind == kind {
			labels[b.Label] = true
		}
	}
	return labels
}
