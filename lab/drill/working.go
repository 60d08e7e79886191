package drill

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"gatehouse"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
	"gatehouse/vision/models"
)

// opened is an item of the working set that the gate key opened.
type opened struct {
	gatehouse.WorkingItem
	plain []byte
}

// workingItems opens the copy's working set with the stolen gate key.
func (d *drill) workingItems(ctx context.Context) ([]opened, error) {
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return nil, err
	}
	items, err := storedItems(ctx, gate, d.workingFile())
	if err != nil {
		return nil, err
	}
	var all []opened
	for _, item := range items {
		plain, err := gate.OpenWorking(item.Context(), item.Sealed)
		if err != nil {
			return nil, err
		}
		all = append(all, opened{item, plain})
	}
	return all, nil
}

func (d *drill) workingFile() string { return filepath.Join(d.config.Data, "db", "working.db") }

// storedItems reads the items as they are stored.
func storedItems(ctx context.Context, gate *vault.GateKey, file string) ([]gatehouse.WorkingItem, error) {
	key, err := gate.FileKey(file)
	if err != nil {
		return nil, err
	}
	db, err := sealeddb.OpenAsIs(file, key)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Readers().QueryContext(ctx, `SELECT org, site, kind, row, subject, sealed FROM items`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []gatehouse.WorkingItem
	for rows.Next() {
		var item gatehouse.WorkingItem
		var row, subject []byte
		if err := rows.Scan(&item.Org, &item.Site, &item.Kind, &row, &subject, &item.Sealed); err != nil {
			return nil, err
		}
		copy(item.Row[:], row)
		copy(item.Subject[:], subject)
		all = append(all, item)
	}
	return all, rows.Err()
}

// searchWorkingSet counts the marks that a thief of the whole disk reads in the working
// set: what the gate must know to open doors at night. Templates are turned back with
// the seed that lies beside them.
func (d *drill) searchWorkingSet(ctx context.Context, marks []mark, m *matcher) error {
	items, err := d.workingItems(ctx)
	if err != nil {
		return err
	}
	s := newSearch(marks, m, nil)
	for _, item := range items {
		s.bytes("working set, "+string(item.Kind), item.plain)
	}
	templates, err := d.storedTemplates(ctx)
	if err != nil {
		return err
	}
	for _, t := range templates {
		if i := nearest(marks, t.face); i >= 0 {
			s.found[i] = map[string]string{"float32": "working set"}
		}
	}
	for i, forms := range s.found {
		if !marks[i].erased {
			d.report.WorkingSetHits++
			continue
		}
		d.report.Hits++
		for form, where := range forms {
			d.report.find("erased", fmt.Sprintf("%s of an erased subject as %s in %s", marks[i], form, where))
		}
	}
	return nil
}

// nearest is the mark whose template a stored one is, -1 for none. Turned there and back, a
// template differs in its last bits, so it is known by its cosine; and where somebody was
// enrolled twice from one portrait, both are that near, and the nearest is meant.
func nearest(marks []mark, face []float32) int {
	best, which := 0.999, -1
	for i, mark := range marks {
		if len(mark.template) != len(face) || len(face) == 0 {
			continue
		}
		if c := cosine(mark.template, face); c > best {
			best, which = c, i
		}
	}
	return which
}

// storedTemplate is a template of the working set: as it lies there, and as the model
// made it.
type storedTemplate struct {
	subject    gatehouse.SubjectID
	kept, face []float32
}

// storedTemplates loads the copy's working set as the gate does and gives what it hands
// to the gallery.
func (d *drill) storedTemplates(ctx context.Context) ([]storedTemplate, error) {
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return nil, err
	}
	items, err := storedItems(ctx, gate, d.workingFile())
	if err != nil {
		return nil, err
	}
	entry, err := models.Find(models.FaceTemplate)
	if err != nil {
		return nil, err
	}
	g := &listed{Gallery: gallery.New(entry.Dims)}
	_, err = workingset.Load(ctx, d.place(), reading{items}, gate, g)
	return g.all, err
}

// listed is a gallery that lists what it is given.
type listed struct {
	*gallery.Gallery
	seed [32]byte
	all  []storedTemplate
}

// Rotate implements workingset.Gallery.
func (l *listed) Rotate(place gatehouse.Place, seed [32]byte) {
	l.seed = seed
	l.Gallery.Rotate(place, seed)
}

// Add implements workingset.Gallery.
func (l *listed) Add(_ gatehouse.Place, subject gatehouse.SubjectID, _ gatehouse.ID, template []float32) error {
	l.all = append(l.all, storedTemplate{subject, template, l.Turn(template, l.seed, [32]byte{})})
	return nil
}

// reading is a working set's store that forgets what is written.
type reading struct{ items []gatehouse.WorkingItem }

// Working implements gatehouse.WorkingStore.
func (r reading) Working(_ context.Context, f func(gatehouse.WorkingItem) error) error {
	for _, item := range r.items {
		if err := f(item); err != nil {
			return err
		}
	}
	return nil
}

// PutWorking implements gatehouse.WorkingStore.
func (reading) PutWorking(context.Context, []gatehouse.WorkingItem) error { return nil }

// ReplaceWorking implements gatehouse.WorkingStore.
func (reading) ReplaceWorking(context.Context, []gatehouse.WorkingItem) error { return nil }

// DeleteWorking implements gatehouse.WorkingStore.
func (reading) DeleteWorking(context.Context, gatehouse.Place, gatehouse.SubjectID, ...gatehouse.WorkingKind) error {
	return nil
}

// compareGalleries compares what is stored of each person before a rekey of the gallery
// with what is stored after it, and with the face itself, as a thief of two galleries
// would: above the threshold of a match they are linked.
func (d *drill) compareGalleries(ctx context.Context) error {
	before, err := d.storedTemplates(ctx)
	if err != nil {
		return err
	}
	if _, err := d.server.Admin().RotateGallery(ctx); err != nil {
		return err
	}
	after, err := d.storedTemplates(ctx)
	if err != nil {
		return err
	}
	if d.mutant.templates != nil {
		after = d.mutant.templates(before, after)
	}
	threshold := float64(models.Threshold(1))
	of := map[gatehouse.SubjectID][]storedTemplate{}
	for _, t := range before {
		of[t.subject] = append(of[t.subject], t)
	}
	for _, t := range after {
		for _, old := range of[t.subject] {
			d.report.TemplatesCompared++
			if cosine(t.kept, old.kept) >= threshold || cosine(t.kept, t.face) >= threshold {
				d.report.TemplateMatches++
			}
		}
	}
	if n := d.report.TemplateMatches; n > 0 {
		d.report.find("templates", fmt.Sprintf("%d stored templates compare with those of another gallery, or with the face itself", n))
	}
	return nil
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
