package vault

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault/index"
)

var _ gatehouse.Indexer = (*Vault)(nil)

// The methods by which the server feeds the index. They work while the vault is
// unsealed, need no proof, and release nothing.
const (
	methodIndexState = "index_state" // reply gatehouse.IndexState
	methodIndex      = "index"       // header indexRequest, attachments: a detail for each passage, a record for each subject
)

type indexRequest struct {
	From, To uint64
	Until    time.Time
	Passages []gatehouse.Passage
	Subjects []gatehouse.Subject // without record and photos
}

// maxIndexBatch is the most passages and subjects of one batch.
const maxIndexBatch = 1024

// IndexState implements gatehouse.Indexer.
func (v *Vault) IndexState(ctx context.Context) (gatehouse.IndexState, error) {
	var s gatehouse.IndexState
	_, err := v.process.Call(ctx, methodIndexState, nil, nil, &s)
	return s, err
}

// Index implements gatehouse.Indexer. The vault process opens what it was given by
// itself, which is no disclosure, and writes a leaf that it did.
func (v *Vault) Index(ctx context.Context, b gatehouse.IndexBatch) error {
	r := indexRequest{From: b.From, To: b.To, Until: b.Until}
	var blobs [][]byte
	for _, p := range b.Passages {
		r.Passages = append(r.Passages, p.Passage)
		blobs = append(blobs, p.Detail)
	}
	for _, s := range b.Subjects {
		blobs = append(blobs, s.Record)
		s.Record, s.Photos = nil, nil
		r.Subjects = append(r.Subjects, s)
	}
	_, err := v.process.Call(ctx, methodIndex, r, blobs, nil)
	return err
}

// use gives the private keys to a job of the vault's own, which discloses nothing.
func (s *strongroom) use() (privateKeys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if s.page.empty() {
		return nil, errSealed()
	}
	return privateKeysOn(s.page, s.names)
}

func (s *service) indexHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodIndexState: s.handleIndexState, methodIndex: s.handleIndex, methodSearch: s.handleSearch}
}

func (s *service) handleIndexState(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	private, err := s.room.use()
	if err != nil {
		return nil, nil, err
	}
	var p index.Progress
	err = s.index.use(ctx, private, func(x *index.Index) error {
		p, err = x.Progress(ctx)
		return err
	})
	return gatehouse.IndexState{Position: p.Position, Until: p.Until}, nil, err
}

func (s *service) handleIndex(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in indexRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	count := len(in.Passages) + len(in.Subjects)
	if len(r.Blobs) != count || count > maxIndexBatch {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "there are %d values for %d rows of the index", len(r.Blobs), count)
	}
	private, err := s.room.use()
	if err != nil {
		return nil, nil, err
	}
	var entries []index.Entry
	if count > 0 {
		leaf := gatehouse.EventLeaf(gatehouse.VaultLeafKind, time.Now(), "indexed",
			strconv.Itoa(count), strconv.FormatUint(in.From, 10), strconv.FormatUint(in.To, 10))
		if _, err := s.audit.record(ctx, leaf, nil); err != nil {
			return nil, nil, err
		}
		if entries, err = s.entries(ctx, private, in, r.Blobs); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, s.index.put(ctx, private, func(x *index.Index) error {
		// Here no removal is being followed: whoever is erased after this line is
		// removed again when the rows are in.
		kept, err := s.kept(ctx, entries)
		if err != nil {
			return err
		}
		return x.Put(ctx, in.From, in.To, in.Until, kept)
	})
}

// entries opens what the rows say. What does not open any more, because it was erased
// or has expired, gives none.
func (s *service) entries(ctx context.Context, private privateKeys, in indexRequest, values [][]byte) ([]index.Entry, error) {
	var refs []gatehouse.SealContext
	var sealed [][]byte
	for i, p := range in.Passages {
		refs = append(refs, gatehouse.SealContext{Place: p.Place, Table: "passages", Row: p.ID, Field: "detail"})
		sealed = append(sealed, values[i])
	}
	fields := []string{"name", "national_id", "record"}
	for i, subject := range in.Subjects {
		record, err := gatehouse.UnpackRecord(values[len(in.Passages)+i])
		if err != nil {
			record = gatehouse.SealedRecord{} // it opens no more than an erased one
		}
		for j, part := range [][]byte{record.Name, record.NationalID, record.Rest} {
			refs = append(refs, gatehouse.SealContext{Place: subject.Place, Table: "subjects", Row: subject.ID, Field: fields[j]})
			sealed = append(sealed, part)
		}
	}
	plain, err := s.openAll(ctx, private, refs, sealed)
	if err != nil {
		return nil, err
	}
	chains := originFinder{keys: s.keys, known: map[chainPlace]chainRow{}}
	var all []index.Entry
	for i, p := range in.Passages {
		if plain[i] == nil {
			continue
		}
		from, err := chains.of(ctx, p.Place, sealed[i])
		if err != nil {
			return nil, err
		}
		p.Subject = from.subject
		e := passageEntry(p, plain[i])
		e.Class, e.Day = from.class, from.day
		all = append(all, e)
	}
	for i, subject := range in.Subjects {
		at := len(in.Passages) + len(fields)*i
		parts := plain[at : at+len(fields)]
		if parts[0] == nil && parts[1] == nil && parts[2] == nil {
			continue
		}
		from, err := chains.of(ctx, subject.Place, sealed[at:at+len(fields)]...)
		if err != nil {
			return nil, err
		}
		if from.subject != subject.ID {
			continue // erasing the one would not take the other's record away
		}
		e := recordEntry(subject, parts[0], parts[1], parts[2])
		e.Class, e.Day = from.class, from.day
		all = append(all, e)
	}
	return all, nil
}

// kept leaves out whoever was erased: a gate that had not heard of it yet may have
// sealed something more for them.
func (s *service) kept(ctx context.Context, entries []index.Entry) (kept []index.Entry, err error) {
	for _, e := range entries {
		removed, err := s.keys.removed(ctx, e.Place, e.Subject)
		if err != nil {
			return nil, err
		}
		if !removed {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

func passageEntry(p gatehouse.Passage, plain []byte) index.Entry {
	e := index.Entry{Place: p.Place, Kind: gatehouse.PassageHit, ID: p.ID, Subject: p.Subject, At: p.At, Gate: p.Gate, Reading: p.Kind}
	var d gatehouse.Detail
	if json.Unmarshal(plain, &d) == nil { // another version's is found by its subject, time and gate
		e.Text, e.Plate = d.Plate, d.Plate
	}
	return e
}

func recordEntry(s gatehouse.Subject, name, nationalID, rest []byte) index.Entry {
	e := index.Entry{Place: s.Place, Kind: gatehouse.RecordHit, ID: s.ID, Subject: s.ID, At: s.Enrolled, Text: string(name)}
	if s.Kind == gatehouse.VehicleSubject {
		e.Plate = string(name)
		return e
	}
	e.Name, e.NationalID = string(name), string(nationalID)
	var record gatehouse.PersonRecord
	if json.Unmarshal(rest, &record) == nil {
		e.Number, e.Phone, e.Email = record.Number, record.Phone, record.Email
	}
	return e
}

// origin is what values hang on. It comes from their chains' rows, not from who feeds
// them: what is erased and expired by it must be found by it.
type origin struct {
	subject gatehouse.SubjectID
	class   gatehouse.RetentionClass
	day     string // the earliest, where values are of several days
}

// originFinder looks up the chains of values.
type originFinder struct {
	keys  *keyStore
	known map[chainPlace]chainRow
}

// of gives the origin of the values; one that is no envelope has none.
func (f originFinder) of(ctx context.Context, place gatehouse.Place, values ...[]byte) (from origin, err error) {
	for _, v := range values {
		e, err := parseEnvelope(v)
		if err != nil {
			continue
		}
		for _, l := range e.links {
			at := chainPlace{place, l.chain}
			row, ok := f.known[at]
			if !ok {
				if row, _, err = f.keys.row(ctx, place, at.id); err != nil {
					return from, err
				}
				f.known[at] = row
			}
			switch {
			case row.Kind == subjectChain:
				from.subject = row.Subject
			case row.Day != "" && (from.day == "" || row.Day < from.day):
				from.class, from.day = row.Class, row.Day
			}
		}
	}
	return from, nil
}
