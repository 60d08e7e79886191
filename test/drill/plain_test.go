package drill

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"image"
	_ "image/jpeg" // the control writes what pictures decode to
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/flow/enroll"
	"gatehouse/flow/passage"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/vision/face"
	"gatehouse/vision/models"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// plain is the positive control: a store and sealer that write everything as it
// is, in every form that the search knows, to a directory of its own. It exists in
// this test only.
type plain struct {
	t   *testing.T
	dir string
	mu  sync.Mutex
	n   int
}

func (p *plain) write(kind string, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	forms := [][]byte{b}
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xd8}):
		forms = append(forms, []byte(hex.EncodeToString(b)), []byte(base64.StdEncoding.EncodeToString(b)))
		if img, _, err := image.Decode(bytes.NewReader(b)); err == nil {
			rgb, rgba, luma := pixels(img)
			forms = append(forms, rgb, rgba, luma)
		}
	case kind == string(gatehouse.TemplateItem):
		forms = append(forms, b[5:]) // behind their head the numbers, and then in the other forms
		forms = append(forms, numbers(b[5:])...)
	case utf8.Valid(b):
		forms = append(forms, encodings(string(b))...)
	}
	if err := os.WriteFile(filepath.Join(p.dir, gatehouse.RandomID().String()), bytes.Join(forms, []byte("\n\n")), 0o600); err != nil {
		p.t.Error(err)
	}
}

func encodings(text string) (forms [][]byte) {
	var le, be []byte
	for _, u := range utf16.Encode([]rune(text)) {
		le, be = binary.LittleEndian.AppendUint16(le, u), binary.BigEndian.AppendUint16(be, u)
	}
	gbk, _ := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(text))
	h := []byte(hex.EncodeToString([]byte(text)))
	forms = append(forms, le, be, gbk, h, bytes.ToUpper(h))
	for shift := range 3 {
		forms = append(forms, []byte(base64.StdEncoding.EncodeToString(append(make([]byte, shift), text...))))
	}
	return forms
}

// numbers returns a stored float32 template in the search's other forms.
func numbers(b []byte) [][]byte {
	t := make([]float32, len(b)/4)
	var top float64
	for i := range t {
		t[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		top = max(top, math.Abs(float64(t[i])))
	}
	var be, le16, be16, scaled, fixed []byte
	for _, v := range t {
		be = binary.BigEndian.AppendUint32(be, math.Float32bits(v))
		le16, be16 = binary.LittleEndian.AppendUint16(le16, float16(v)), binary.BigEndian.AppendUint16(be16, float16(v))
		scaled = append(scaled, byte(int8(math.Round(float64(v)/top*127))))
		fixed = append(fixed, byte(int8(math.Round(float64(v)*127))))
	}
	return [][]byte{be, le16, be16, scaled, fixed}
}

func (p *plain) Seal(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.RetentionClass, where gatehouse.SealContext, b []byte, _ gatehouse.Padding) ([]byte, error) {
	p.write(where.Field, b)
	return b, nil
}
func (p *plain) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}
func (p *plain) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}
func (p *plain) SealWorking(where gatehouse.SealContext, b []byte) ([]byte, error) {
	kind := filepath.Base(where.Table)
	p.write(kind, b)
	return b, nil
}
func (p *plain) OpenWorking(_ gatehouse.SealContext, b []byte) ([]byte, error)           { return b, nil }
func (p *plain) PutBlob(_ context.Context, _ gatehouse.BlobID, b []byte) error           { return nil }
func (p *plain) Blob(context.Context, gatehouse.BlobID) ([]byte, error)                  { return nil, nil }
func (p *plain) DeleteBlob(context.Context, gatehouse.BlobID) error                      { return nil }
func (p *plain) EachBlob(context.Context, func(gatehouse.BlobID, time.Time) error) error { return nil }
func (p *plain) CommitPassage(context.Context, gatehouse.PassageCommit) error            { return nil }
func (p *plain) CommitOutcome(context.Context, gatehouse.PassageOutcome) error           { return nil }
func (p *plain) PutWorking(context.Context, []gatehouse.WorkingItem) error               { return nil }
func (p *plain) DeleteWorking(context.Context, gatehouse.Place, gatehouse.SubjectID, ...gatehouse.WorkingKind) error {
	return nil
}
func (p *plain) ReplaceWorking(context.Context, []gatehouse.WorkingItem) error    { return nil }
func (p *plain) Working(context.Context, func(gatehouse.WorkingItem) error) error { return nil }
func (p *plain) Committed(gatehouse.Passage, []gatehouse.Picture)                 {}
func (p *plain) Changed(gatehouse.Passage)                                        {}
func (p *plain) Unrecorded(gatehouse.Passage, error)                              {}

// nowhere keeps subjects in no place: the control has written them already.
type nowhere struct{ gatehouse.SubjectStore }

func (nowhere) PutSubject(context.Context, gatehouse.SubjectCommit) error { return nil }
func (nowhere) BeginIntent(context.Context, gatehouse.Intent) error       { return nil }
func (nowhere) FinishIntent(context.Context, gatehouse.ID) error          { return nil }

// unturned is a gallery without a secret rotation, as a careless product has it.
type unturned struct{ *gallery.Gallery }

func (unturned) Rotate(gatehouse.Place, [32]byte)          {}
func (unturned) Turn(t []float32, _, _ [32]byte) []float32 { return t }

// rig is the product's own flows over the plain control.
type rig struct {
	enroll *enroll.Enroller
	flow   *passage.Flow
	eyes   gatehouse.Eyes
}

func newRig(t *testing.T, eyes gatehouse.Eyes, gates map[gatehouse.GateID]gatehouse.Gate, place gatehouse.Place) (*rig, string) {
	p := &plain{t: t, dir: t.TempDir()}
	entry, err := models.Find(models.FaceTemplate)
	if err != nil {
		t.Fatal(err)
	}
	g := unturned{gallery.New(entry.Dims)}
	working, err := workingset.Load(t.Context(), place, p, p, g)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{eyes: eyes,
		enroll: enroll.New(enroll.Ports{Place: place, Eyes: eyes, Gallery: g, Threshold: models.Threshold, Fault: face.Fault, Sealer: p, Keep: p, Subjects: nowhere{}, Blobs: p, Working: working}),
		flow: passage.New(passage.Ports{Site: passage.Site{Place: place, Location: time.UTC, Gates: gates}, Working: working, Gallery: g, Threshold: models.Threshold,
			Sealer: p, Store: p, Blobs: p, Actuator: func(gatehouse.GateID) gatehouse.Actuator { return nil }, Feed: p, Log: slog.New(slog.DiscardHandler)}),
	}, p.dir
}
