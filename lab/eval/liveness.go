package eval

import (
	"context"

	"gatehouse"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
)

// Liveness are the figures of presentation attack detection (ISO/IEC 30107-3). A
// presentation is a clip where the labels name clips, otherwise a picture.
type Liveness struct {
	Real   int `json:"real"`   // presentations of live people
	Attack int `json:"attack"` // presentations of replays, prints, masks
	// APCER is the share of attacks that were taken for live people, BPCER the
	// share of live people who were not; ACER is the mean of the two. A presentation
	// in which no face is seen opens no door: it is an attack that failed, or a live
	// person turned away.
	APCER     float64     `json:"apcer"`
	BPCER     float64     `json:"bpcer"`
	ACER      float64     `json:"acer"`
	Threshold float32     `json:"threshold"` // the registry's
	CI95      LivenessCI  `json:"ci95"`
	ByKind    []AttackSet `json:"by_kind,omitempty"` // where a column kind names kinds of attack
	ByClip    []Clip      `json:"by_clip"`           // empty where the labels name no clips

	Images     int          `json:"images"`
	NoFace     int          `json:"no_face"` // pictures
	MsPerImage Milliseconds `json:"ms_per_image"`
}

// LivenessCI are Wilson's 95 % intervals.
type LivenessCI struct {
	APCER Interval `json:"apcer"`
	BPCER Interval `json:"bpcer"`
}

// AttackSet are the figures of one kind of attack.
type AttackSet struct {
	Kind   string  `json:"kind"`
	Attack int     `json:"attack"` // presentations
	Taken  int     `json:"taken"`  // of them, for live people
	APCER  float64 `json:"apcer"`
}

// Clip is what was decided of one clip.
type Clip struct {
	Clip   string  `json:"clip"`
	Label  string  `json:"label"`
	Kind   string  `json:"kind,omitempty"`
	Frames int     `json:"frames"` // labelled
	Judged int     `json:"judged"` // of them, with a face
	Score  float32 `json:"score"`  // fused over the frames; -1 where none was judged
	Live   bool    `json:"live"`
}

// RunLiveness measures on a folder whose LABELS.tsv has the columns path and label
// (real or attack), and may have clip and kind. Scores are fused over a clip's
// frames as they are over a passage's and decided at the registry's threshold.
// Errors: eval.folder, eval.labels, and those of the eyes.
func RunLiveness(ctx context.Context, o Options) (Liveness, error) {
	f, err := open(o, "label")
	if err != nil {
		return Liveness{}, err
	}
	defer f.close()

	type presentation struct {
		Clip
		scores []float32
	}
	var all []*presentation
	named := map[string]*presentation{}
	of := map[string][]*presentation{} // by picture
	clips := false
	for _, r := range f.rows {
		label, clip, kind := r.field("label"), r.field("clip"), r.field("kind")
		if label != "real" && label != "attack" {
			return Liveness{}, gatehouse.Errorf("eval.labels", "the labels are real and attack", "%s, line %d: there is no such label", labelsFile, r.line)
		}
		key := "picture " + r.path
		if clip != "" {
			key, clips = "clip "+clip, true
		}
		p := named[key]
		if p == nil {
			p = &presentation{Clip: Clip{Clip: clip, Label: label, Kind: kind}}
			named[key] = p
			all = append(all, p)
		}
		if p.Label != label || p.Kind != kind {
			return Liveness{}, gatehouse.Errorf("eval.labels", "a clip is of one person or one attack", "%s, line %d: the clip was labelled otherwise before", labelsFile, r.line)
		}
		p.Frames++
		of[r.path] = append(of[r.path], p)
	}

	res := Liveness{Threshold: models.LiveThreshold, ByClip: []Clip{}}
	err = f.each(ctx, "liveness", gatehouse.Look{Faces: true, Live: true}, func(path string, obs gatehouse.Observation) error {
		i := face.Main(obs.Faces, obs.Width, obs.Height)
		if i < 0 || obs.Faces[i].Live < 0 {
			res.NoFace++
			return nil
		}
		for _, p := range of[path] {
			p.scores = append(p.scores, obs.Faces[i].Live)
		}
		return nil
	})
	if err != nil {
		return Liveness{}, err
	}

	taken, refused := 0, 0
	kinds := map[string]int{} // index in ByKind
	for _, p := range all {
		p.Judged, p.Score = len(p.scores), face.JudgeLiveness(p.scores)
		p.Live = p.Judged > 0 && p.Score >= models.LiveThreshold
		if clips {
			res.ByClip = append(res.ByClip, p.Clip)
		}
		if p.Label == "real" {
			res.Real++
			if !p.Live {
				refused++
			}
			continue
		}
		res.Attack++
		if p.Live {
			taken++
		}
		if p.Kind == "" {
			continue
		}
		at, ok := kinds[p.Kind]
		if !ok {
			at = len(res.ByKind)
			kinds[p.Kind] = at
			res.ByKind = append(res.ByKind, AttackSet{Kind: p.Kind})
		}
		res.ByKind[at].Attack++
		if p.Live {
			res.ByKind[at].Taken++
		}
	}
	for i := range res.ByKind {
		res.ByKind[i].APCER = share(res.ByKind[i].Taken, res.ByKind[i].Attack)
	}
	if res.Real == 0 || res.Attack == 0 {
		return Liveness{}, gatehouse.Errorf("eval.labels", "label pictures of both kinds: real and attack", "%d real and %d attack presentations are too few to measure", res.Real, res.Attack)
	}
	res.APCER, res.BPCER = share(taken, res.Attack), share(refused, res.Real)
	res.ACER = round4((float64(taken)/float64(res.Attack) + float64(refused)/float64(res.Real)) / 2)
	res.CI95 = LivenessCI{wilson(taken, res.Attack), wilson(refused, res.Real)}
	res.Images, res.MsPerImage = len(f.times), f.milliseconds()
	return res, nil
}
