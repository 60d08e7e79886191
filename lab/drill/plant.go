package drill

import (
	"context"
	"image/color"
	"os"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
	"gatehouse/vision/imaging"
)

// plant enrols the whole cast through the product's own flows.
func (d *drill) plant(ctx context.Context) error {
	admin := d.server.Admin()
	everywhere := []gatehouse.Grant{{Gate: "*", Schedule: "always"}}
	step := d.progress(int64(len(d.cast.people)+len(d.cast.vehicles)+len(d.cast.cameras)), "planting marks")
	defer step.finish()
	faces := 0
	for _, p := range d.cast.people {
		if err := d.enrol(ctx, p, everywhere); err != nil {
			return err
		}
		if p.photo != nil {
			faces++
		}
		step.add(1)
	}
	// Faces that are enrolled in the installation already are refused; others come instead.
	for most := 2 * len(d.cast.people); faces < d.Marks && len(d.cast.people) < most; {
		p := d.cast.join()
		if err := d.enrol(ctx, p, everywhere); err != nil {
			return err
		}
		if p.photo != nil {
			faces++
		}
	}
	for _, v := range d.cast.vehicles {
		if v.enrolled {
			answer, err := admin.EnrollVehicle(ctx, wire.EnrollVehicleRequest{Label: v.label, Record: gatehouse.VehicleRecord{Plate: v.plate}, Grants: everywhere})
			if err != nil {
				return err
			}
			v.id = answer.Subject
		}
		step.add(1)
	}
	for _, c := range d.cast.cameras {
		answer, err := admin.AddDevice(ctx, wire.DeviceAddRequest{ID: c.id, Kind: gatehouse.Camera, Gate: d.door(), Source: "rtsp://operator:" + c.password + "@192.0.2.7/stream"})
		if err != nil {
			return err
		}
		d.tokens[c.id] = answer.Token
		step.add(1)
	}
	return nil
}

// enrol takes one person in. A portrait that is too poor, or too like another's, is
// refused as at a real desk; then the person comes without a face.
func (d *drill) enrol(ctx context.Context, p *person, grants []gatehouse.Grant) error {
	request := wire.EnrollPersonRequest{Label: p.label, Record: p.record, Card: p.card, PIN: p.pin, QR: p.qr, Grants: grants}
	if err := d.photograph(ctx, p, &request); err != nil {
		return err
	}
	answer, err := d.server.Admin().EnrollPerson(ctx, request)
	if code := gatehouse.ErrorCode(err); p.photo != nil && (strings.HasPrefix(code, "face.") || code == "enroll.no_face" || code == "enroll.two_faces" || code == "enroll.duplicate" || code == "enroll.distinct") {
		p.photo, p.template = nil, nil
		request.Photos, request.ConsentGiven, request.ConsentHow, request.ConsentRef = nil, false, "", ""
		answer, err = d.server.Admin().EnrollPerson(ctx, request)
	}
	if p.id = answer.Subject; err == nil {
		_, err = d.server.Admin().SetPayTerms(ctx, p.id, wire.PayTermsRequest{From: "2026-01-01", Terms: wire.PayTerms{Number: p.payNumber, Rate: wire.Money{Minor: 1250, Currency: "EUR"}, Per: 60}})
	}
	return err
}

func (d *drill) photograph(ctx context.Context, p *person, request *wire.EnrollPersonRequest) error {
	portrait, err := readPortrait(p.portrait)
	if err != nil {
		return err
	}
	photo := scene.Enrolment(portrait, d.cast.r)
	seen, err := d.server.Eyes().See(ctx, gatehouse.Image{Format: gatehouse.JPEG, Bytes: photo}, gatehouse.Look{Faces: true, Templates: true})
	if err != nil {
		return err
	}
	if p.template = templateOf(seen); p.template == nil {
		return nil
	}
	p.photo = photo
	request.Photos, request.ConsentGiven, request.ConsentHow, request.ConsentRef = [][]byte{photo}, true, "reference", p.consent
	if p.distinctFrom >= 0 {
		request.DistinctFrom = d.cast.people[p.distinctFrom].id
	}
	return nil
}

func readPortrait(file string) (*imaging.RGB, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return imaging.Decode(raw, imaging.Limits{})
}

// The devices that the traffic comes from.
const (
	drillEye    gatehouse.DeviceID = "drill-eye"
	drillLane   gatehouse.DeviceID = "drill-lane"
	drillReader gatehouse.DeviceID = "drill-reader"
	drillCards  gatehouse.DeviceID = "drill-cards" // takes cards and no pictures
)

// traffic lets people and cars arrive: known ones, strangers, and wrong cards. It
// returns how many passages were granted and denied.
func (d *drill) traffic(ctx context.Context) (granted, denied int, err error) {
	door, lane := d.door(), d.lane()
	for id, at := range map[gatehouse.DeviceID]gatehouse.GateID{drillEye: door, drillLane: lane, drillReader: d.door(), drillCards: d.door()} {
		kind := gatehouse.Terminal
		if id == drillCards {
			kind = gatehouse.Reader
		}
		answer, err := d.server.Admin().AddDevice(ctx, wire.DeviceAddRequest{ID: id, Kind: kind, Gate: at})
		if err != nil {
			return 0, 0, err
		}
		d.tokens[id] = answer.Token
	}
	now := time.Now()
	post := func(c gatehouse.Capture) error {
		now = now.Add(200 * time.Millisecond)
		c.Received = now
		got, err := d.server.Post(ctx, c)
		for _, p := range got {
			if d.passages = append(d.passages, p); p.Decision.Grant {
				granted++
			} else {
				denied++
			}
		}
		return err
	}
	film := func(device gatehouse.DeviceID, frames [][]byte) error {
		for _, f := range frames {
			if err := post(gatehouse.Capture{Device: device, Kind: gatehouse.FrameCapture, Image: gatehouse.Image{Format: gatehouse.JPEG, Bytes: f}}); err != nil {
				return err
			}
		}
		now = now.Add(5 * time.Second)
		return nil
	}
	step := d.progress(int64(d.arrivals), "letting people and cars arrive")
	defer step.finish()
	rendered, err := plates()
	if err != nil {
		return granted, denied, err
	}
	for i := range d.arrivals {
		r := d.cast.r
		portrait, err := readPortrait(d.cast.portraits[i*7%len(d.cast.portraits)]) // some are enrolled, some are not
		if err == nil {
			err = film(drillEye, scene.Person(portrait, scene.RandomLook(r), 4, r))
		}
		if err != nil {
			return granted, denied, err
		}
		v := d.cast.vehicles[i%len(d.cast.vehicles)]
		if err := film(drillLane, rendered.Car(v.plate, "cn-blue", color.RGBA{90, 30, 30, 255}, false, scene.RandomLook(r), 4, r)); err != nil {
			return granted, denied, err
		}
		p := d.cast.people[i%len(d.cast.people)]
		for kind, value := range map[gatehouse.CaptureKind]string{gatehouse.CardCapture: p.card, gatehouse.QRCapture: p.qr} {
			if err := post(gatehouse.Capture{Device: drillReader, Kind: kind, Secret: gatehouse.Secret(value)}); err != nil {
				return granted, denied, err
			}
		}
		if err := post(gatehouse.Capture{Device: drillReader, Kind: gatehouse.CardCapture, Secret: "nobody's card"}); err != nil {
			return granted, denied, err
		}
		step.add(1)
	}
	return granted, denied, nil
}

// door and lane are gates of the copy, which has one of each kind.
func (d *drill) door() gatehouse.GateID { return d.gate(gatehouse.Door) }
func (d *drill) lane() gatehouse.GateID { return d.gate(gatehouse.Lane) }

func (d *drill) gate(kind gatehouse.GateKind) gatehouse.GateID {
	for _, g := range d.config.Gates {
		if g.Kind == string(kind) {
			return gatehouse.GateID(g.ID)
		}
	}
	return ""
}
