package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"time"

	"gatehouse"
	"gatehouse/vault/auditlog"
)

// roster is what the leaves say of subjects and devices. Subjects are told apart by
// their sealed records, since no leaf names them.
type roster struct {
	position uint64                               // of the last leaf that was read
	enrolled map[string]bool                      // by partsKey of their leaves
	status   map[[32]byte]gatehouse.SubjectStatus // the last one, by the record's digest
	devices  map[gatehouse.DeviceID]string        // partsKey of the last leaf
	consents map[string]bool                      // consentKey of their leaves
	ended    map[string]bool                      // of those that were withdrawn
}

func newRoster() roster {
	return roster{enrolled: map[string]bool{}, status: map[[32]byte]gatehouse.SubjectStatus{}, devices: map[gatehouse.DeviceID]string{}, consents: map[string]bool{}, ended: map[string]bool{}}
}

func (r *roster) leaf(position uint64, kind gatehouse.LeafKind, at time.Time, parts [][]byte) {
	r.position = position
	switch {
	case kind == gatehouse.SubjectLeafKind && len(parts) > 3 && len(parts[3]) == 32:
		r.enrolled[partsKey(parts)], r.status[[32]byte(parts[3])] = true, gatehouse.Active
	case kind == gatehouse.StatusLeafKind && len(parts) == 4 && len(parts[2]) == 32:
		r.status[[32]byte(parts[2])] = gatehouse.SubjectStatus(parts[3])
	case kind == gatehouse.ConsentLeafKind && (len(parts) == 5 || len(parts) == 8):
		key := consentKey(at, parts)
		if r.consents[key] = true; string(parts[3]) == "withdrawn" {
			r.ended[key] = true
		}
	case kind == gatehouse.DeviceLeafKind && len(parts) >= 5:
		// What follows (gatehouse.DeviceChangeLeaf) is about the working set, not the row.
		r.devices[gatehouse.DeviceID(parts[2])] = partsKey(parts[:5])
	}
}

// consentKey tells consents apart by what they say and when, since no leaf names whose
// they are.
func consentKey(at time.Time, parts [][]byte) string {
	return fmt.Sprint(at.UnixMilli(), partsKey(parts))
}

// consentLeaves are the keys of the leaves that a row of a consent must have.
func consentLeaves(c gatehouse.Consent) (given, withdrawn string) {
	key := func(c gatehouse.Consent, at time.Time) string {
		_, at, parts, err := gatehouse.LeafParts(gatehouse.ConsentLeaf(c, at))
		if err != nil {
			return ""
		}
		return consentKey(at, parts)
	}
	if !c.Withdrawn.IsZero() {
		withdrawn = key(c, c.Withdrawn)
	}
	c.Withdrawn = time.Time{}
	return key(c, c.Given), withdrawn
}

// partsKey names the parts of a leaf, whatever its time.
func partsKey(parts [][]byte) string { return fmt.Sprintf("%q", parts) }

// keyOf is partsKey of a leaf that was made anew from a row.
func keyOf(leaf []byte) string {
	_, _, parts, err := gatehouse.LeafParts(leaf)
	if err != nil {
		return ""
	}
	return partsKey(parts)
}

// rosterAttempts is how often rows and leaves are compared: somebody may be enrolled
// between the reading of the one and of the other.
const rosterAttempts = 3

func (v *siteVerifier) subjectsAndDevices(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		var found auditlog.Report
		if err := v.subjects(ctx, &found); err != nil {
			return err
		}
		if err := v.devices(ctx, &found); err != nil {
			return err
		}
		if len(found.Findings) == 0 || attempt == rosterAttempts {
			for _, f := range found.Findings {
				v.report.Add(f.Code, "%s", f.What)
			}
			return nil
		}
		err := v.store.Leaves(ctx, v.roster.position, func(position uint64, leaf []byte) error {
			if kind, at, parts, err := gatehouse.LeafParts(leaf); err == nil {
				v.roster.leaf(position, kind, at, parts)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// subjects checks that every subject's kind, sealed record and photos are those of a
// leaf, and that its status is the last one.
func (v *siteVerifier) subjects(ctx context.Context, report *auditlog.Report) error {
	var after gatehouse.SubjectID
	missing := maps.Clone(v.roster.consents)
	for {
		page, err := v.store.Subjects(ctx, v.place, after, 500)
		if err != nil {
			return err
		}
		for _, s := range page {
			after = s.ID
			switch last := v.roster.status[sha256.Sum256(s.Record)]; {
			case !v.roster.enrolled[keyOf(gatehouse.SubjectLeaf(s, s.Enrolled))]:
				report.Add("subject.altered", "the kind, sealed record and photos of subject %s are none that a leaf commits to", s.ID)
			case last != s.Status:
				report.Add("subject.altered", "subject %s is %s, and the last leaf about it says %s", s.ID, s.Status, last)
			}
			consents, err := v.store.Consents(ctx, v.place, s.ID)
			if err != nil {
				return err
			}
			for _, c := range consents {
				given, withdrawn := consentLeaves(c)
				if !v.roster.consents[given] || withdrawn != "" && !v.roster.ended[withdrawn] {
					report.Add("consent.altered", "a consent of subject %s is none that a leaf commits to", s.ID)
				}
				delete(missing, given)
				delete(missing, withdrawn)
			}
		}
		if len(page) < 500 {
			break
		}
	}
	if len(missing) > 0 && !v.erasing { // an erased subject's may be among them
		report.Add("consent.missing", "%d consents that leaves commit to, given or withdrawn, are in no row", len(missing))
	}
	return nil
}

// devices compares the devices with the last leaf about each.
func (v *siteVerifier) devices(ctx context.Context, report *auditlog.Report) error {
	list, err := v.store.Devices(ctx, v.place)
	if err != nil {
		return err
	}
	there := map[gatehouse.DeviceID]bool{}
	for _, d := range list {
		if there[d.ID] = true; v.roster.devices[d.ID] != keyOf(gatehouse.DeviceLeaf(d, time.Time{})) {
			report.Add("device.altered", "device %s is not as the last leaf about it says", d.ID)
		}
	}
	for id := range v.roster.devices {
		if !there[id] {
			report.Add("device.missing", "device %s is not there any more", id)
		}
	}
	return nil
}
