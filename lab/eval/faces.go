package eval

import (
	"context"

	"gatehouse"
	"gatehouse/gallery"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
)

// Faces are the figures of open-set 1:N identification (ISO/IEC 19795-1): a
// gallery of enrolled people, probes of the same people, and strangers.
type Faces struct {
	Images    int `json:"images"`
	Gallery   int `json:"gallery"` // enrolled templates
	Probes    int `json:"probes"`
	Strangers int `json:"strangers"`
	// Rank1 is the share of probes whose best match is the right person, at any
	// similarity.
	Rank1 float64 `json:"rank1"`
	// FNIR (false negative identification rate): the share of probes whose best
	// match is not the right person, or below the threshold. A probe without a
	// usable face is missed. FPIR (false positive ~): the share of strangers whose
	// best match reaches the threshold. The at_fpir thresholds are fitted on this
	// folder's own strangers.
	FNIRAt1        float64 `json:"fnir_at_fpir_1pct"`
	FNIRAt10       float64 `json:"fnir_at_fpir_10pct"`
	ThresholdAt1   float32 `json:"threshold_at_fpir_1pct"`
	FNIRAtRegistry float64 `json:"fnir_at_registry"`
	FPIRAtRegistry float64 `json:"fpir_at_registry"`
	// ThresholdAtRegistry is what the registry gives for a gallery of this size.
	ThresholdAtRegistry float32      `json:"threshold_at_registry"`
	CI95                FacesCI      `json:"ci95"`
	NoFace              int          `json:"no_face"` // pictures without a usable face, of all roles
	MsPerImage          Milliseconds `json:"ms_per_image"`
}

// FacesCI are Wilson's 95 % intervals.
type FacesCI struct {
	FNIRAt1        Interval `json:"fnir_at_fpir_1pct"`
	FNIRAtRegistry Interval `json:"fnir_at_registry"`
	FPIRAtRegistry Interval `json:"fpir_at_registry"`
}

// The roles of a picture in a folder of faces.
const (
	enrol    = "enrol"
	probe    = "probe"
	stranger = "stranger"
)

// described is one labelled picture's template; nil where no usable face was seen.
type described struct {
	row      row
	template []float32
}

// describe looks at every picture of a folder of faces and takes the template of
// the face that the picture is about.
func describe(ctx context.Context, f *folder) (all []described, err error) {
	roles := map[string][]row{}
	for _, r := range f.rows {
		switch r.field("role") {
		case enrol, probe, stranger:
		default:
			return nil, gatehouse.Errorf("eval.labels", "the roles are enrol, probe and stranger", "%s, line %d: there is no such role", labelsFile, r.line)
		}
		roles[r.path] = append(roles[r.path], r)
	}
	err = f.each(ctx, "faces", gatehouse.Look{Faces: true, Templates: true}, func(path string, o gatehouse.Observation) error {
		var t []float32
		if i := face.Main(o.Faces, o.Width, o.Height); i >= 0 {
			t = o.Faces[i].Template
		}
		for _, r := range roles[path] {
			all = append(all, described{r, t})
		}
		return nil
	})
	return all, err
}

// RunFaces measures identification on a folder whose LABELS.tsv has the columns
// path, identity, role (enrol, probe or stranger). Errors: eval.folder,
// eval.labels, and those of the eyes.
func RunFaces(ctx context.Context, o Options) (Faces, error) {
	f, err := open(o, "identity", "role")
	if err != nil {
		return Faces{}, err
	}
	defer f.close()
	all, err := describe(ctx, f)
	if err != nil {
		return Faces{}, err
	}
	res, err := identify(all)
	res.Images, res.MsPerImage = len(f.times), f.milliseconds()
	return res, err
}

// identify computes the figures from templates.
func identify(all []described) (Faces, error) {
	var res Faces
	enrolled := map[string]bool{}
	for _, d := range all {
		if d.template == nil {
			res.NoFace++
		}
		if d.row.field("role") == enrol {
			enrolled[d.row.field("identity")] = true
			if d.template != nil {
				res.Gallery++
			}
		}
	}
	for _, d := range all {
		if role := d.row.field("role"); role != enrol && enrolled[d.row.field("identity")] != (role == probe) {
			return res, gatehouse.Errorf("eval.labels", "a probe's identity has a picture of role enrol, a stranger's has none", "%s, line %d: the role does not fit the identity", labelsFile, d.row.line)
		}
	}
	probes, strangers := hits(all)
	res.Probes, res.Strangers = len(probes), len(strangers)
	if res.Gallery == 0 || res.Probes == 0 || res.Strangers == 0 {
		return res, gatehouse.Errorf("eval.labels", "label pictures of all three roles: enrol, probe, stranger",
			"%d enrolled, %d probes and %d strangers are too few to measure", res.Gallery, res.Probes, res.Strangers)
	}
	t1, t10, registry := thresholdAt(strangers, 0.01), thresholdAt(strangers, 0.10), models.Threshold(res.Gallery)
	res.Rank1 = share(res.Probes-misses(probes, -2), res.Probes)
	res.FNIRAt1, res.FNIRAt10, res.ThresholdAt1 = share(misses(probes, t1), res.Probes), share(misses(probes, t10), res.Probes), t1
	res.FNIRAtRegistry, res.FPIRAtRegistry = share(misses(probes, registry), res.Probes), share(reaching(strangers, registry), res.Strangers)
	res.ThresholdAtRegistry = registry
	res.CI95 = FacesCI{wilson(misses(probes, t1), res.Probes), wilson(misses(probes, registry), res.Probes), wilson(reaching(strangers, registry), res.Strangers)}
	return res, nil
}

// hit is the best match of one probe.
type hit struct {
	right bool
	sim   float32
}

// hits searches the enrolled templates, in a gallery like a door's, for every
// probe and stranger; strangers are the similarities of their best matches. What
// has no usable face, or cannot match because its person could not be enrolled, is
// not right, at similarity -1.
func hits(all []described) (probes []hit, strangers []float32) {
	g, place := gallery.New(templateDims()), gatehouse.Place{Org: "eval", Site: "eval"}
	owner := map[gatehouse.SubjectID]string{}
	ids := map[string]gatehouse.SubjectID{}
	for _, d := range all {
		if d.row.field("role") != enrol || d.template == nil {
			continue
		}
		name := d.row.field("identity")
		if _, known := ids[name]; !known {
			ids[name] = gatehouse.RandomID()
			owner[ids[name]] = name
		}
		// only a malformed template is refused, and the eyes give none
		_ = g.Add(place, ids[name], gatehouse.RandomID(), d.template)
	}
	for _, d := range all {
		h := hit{sim: -1}
		if d.template != nil {
			if m, ok := g.Nearest(place, d.template); ok {
				h = hit{owner[m.Subject] == d.row.field("identity"), m.Similarity}
			}
		}
		switch d.row.field("role") {
		case probe:
			probes = append(probes, h)
		case stranger:
			strangers = append(strangers, h.sim)
		}
	}
	return probes, strangers
}

// misses counts the probes that are not recognized at threshold t.
func misses(probes []hit, t float32) (n int) {
	for _, h := range probes {
		if !h.right || h.sim < t {
			n++
		}
	}
	return n
}

// reaching counts the strangers who are taken for somebody at threshold t.
func reaching(strangers []float32, t float32) (n int) {
	for _, s := range strangers {
		if s >= t {
			n++
		}
	}
	return n
}

func templateDims() int {
	e, err := models.Find(models.FaceTemplate)
	if err != nil {
		panic(err) // the registry names it
	}
	return e.Dims
}
