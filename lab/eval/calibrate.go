package eval

import (
	"context"

	"gatehouse/vision/face"
	"gatehouse/vision/models"
)

// Calibration is a fit of the template model's false matches, in the form in which
// vision/models keeps it, with the figures that it gives on the folder it comes from.
type Calibration struct {
	Tail   float64 `json:"tail"`
	Rate   float64 `json:"rate"`
	Scale  float64 `json:"scale"`
	Shape  float64 `json:"shape"`
	Pairs  int     `json:"pairs"`
	Budget float64 `json:"budget"` // the share of strangers that a door may take for somebody
	Low    float64 `json:"low"`
	// Thresholds are what it gives for galleries of 1, 10, … 100,000 people.
	Thresholds []SizeThreshold `json:"thresholds"`
	// OnThisFolder is how its threshold does on the pictures that it was fitted to.
	OnThisFolder struct {
		Gallery   int      `json:"gallery"`
		Threshold float32  `json:"threshold"`
		FPIR      float64  `json:"fpir"`
		FNIR      float64  `json:"fnir"`
		FPIRCI95  Interval `json:"fpir_ci95"`
		FNIRCI95  Interval `json:"fnir_ci95"`
	} `json:"on_this_folder"`
	// Registry is what the registry gives for the same gallery; where it differs
	// from Threshold, vision/models/calibrated.go is to be brought up to date.
	Registry float32 `json:"registry_threshold"`
}

// SizeThreshold is the threshold for a gallery of a size.
type SizeThreshold struct {
	Gallery   int     `json:"gallery"`
	Threshold float32 `json:"threshold"`
}

// CalibrateFaces fits the false matches on a folder of faces as RunFaces takes it:
// every stranger and every probe against each enrolled picture of somebody else.
// Errors: those of RunFaces, and calibrate.too_few.
func CalibrateFaces(ctx context.Context, o Options) (Calibration, error) {
	f, err := open(o, "identity", "role")
	if err != nil {
		return Calibration{}, err
	}
	defer f.close()
	all, err := describe(ctx, f)
	if err != nil {
		return Calibration{}, err
	}
	return calibrate(all)
}

func calibrate(all []described) (Calibration, error) {
	c, err := face.Calibrate(impostors(all), models.FaceCalibration.Budget)
	if err != nil {
		return Calibration{}, err
	}
	// identify checks the roles, and counts at the registry's threshold.
	checked, err := identify(all)
	if err != nil {
		return Calibration{}, err
	}
	res := Calibration{Tail: c.Tail, Rate: c.Rate, Scale: c.Scale, Shape: c.Shape, Pairs: c.Pairs, Budget: c.Budget, Low: c.Low, Registry: checked.ThresholdAtRegistry}
	for _, n := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		res.Thresholds = append(res.Thresholds, SizeThreshold{n, c.Threshold(n)})
	}
	on := &res.OnThisFolder
	on.Gallery, on.Threshold = checked.Gallery, c.Threshold(checked.Gallery)
	probes, strangers := hits(all)
	missed, accepted := misses(probes, on.Threshold), reaching(strangers, on.Threshold)
	on.FNIR, on.FNIRCI95 = share(missed, len(probes)), wilson(missed, len(probes))
	on.FPIR, on.FPIRCI95 = share(accepted, len(strangers)), wilson(accepted, len(strangers))
	return res, nil
}

// impostors are the similarities of all pairs of an unenrolled picture and an
// enrolled one of another person.
func impostors(all []described) (scores []float32) {
	for _, a := range all {
		if a.template == nil || a.row.field("role") == enrol {
			continue
		}
		for _, b := range all {
			if b.template != nil && b.row.field("role") == enrol && a.row.field("identity") != b.row.field("identity") {
				scores = append(scores, face.Similarity(a.template, b.template))
			}
		}
	}
	return scores
}
