package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Devices enrols, shows and revokes devices, and says how their pictures come.
type Devices interface {
	Devices(ctx context.Context) ([]DeviceState, error)
	// Code gives a one-time code that the device enrols its key with: name.malformed,
	// grant.unknown_gate, device.unknown_kind.
	Code(ctx context.Context, who Who, d gatehouse.Device) (DeviceCode, error)
	// Camera adds a camera that Gatehouse comes to. address may hold a password: it is
	// sealed, and nobody is shown it again. Errors: Code's, and camera.address.
	Camera(ctx context.Context, who Who, d gatehouse.Device, address gatehouse.Secret) error
	// Revoke refuses the device from its next request on: store.not_found.
	Revoke(ctx context.Context, who Who, id gatehouse.DeviceID) error
}

// DeviceState is one device and how it does.
type DeviceState struct {
	gatehouse.Device
	Shows string // how it proves who it is: key, token, none, revoked
	Reads bool   // Gatehouse comes to it for its pictures
	// State is ok, stalled, down or ended of a source that is read; of a device that
	// posts ok where it did lately, else quiet.
	State      string
	Last       time.Time     // its newest picture or credential since the start; zero for none
	FPS        float64       // pictures a second, over the last 10 s
	Lag        time.Duration // from receipt of a picture to when it had been looked at
	Dropped    uint64        // pictures that a newer one replaced before they were looked at
	Reconnects int
}

// DeviceCode is a code that is shown once.
type DeviceCode struct {
	Code      string // as people type it
	Until     time.Time
	Address   string // where the device posts it
	Authority string // fingerprint of the site's own certificate authority, "" where there is none
}

// equipment is the area of devices.
var equipment = area{
	pages:  []string{"devices", "devicecode"},
	routes: (*Console).devicesRoutes,
	nav:    []entry{{"nav.site", "devices", "/devices", "devices.title", gatehouse.ManageDevices}},
}

func (c *Console) devicesRoutes() []auth.Route {
	if c.o.Devices == nil {
		return nil
	}
	see, change := auth.Needs(gatehouse.ManageDevices), auth.NeedsFresh(gatehouse.ManageDevices)
	return []auth.Route{
		{Pattern: "GET /devices", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { c.devices(w, r, http.StatusOK, "") }},
		{Pattern: "POST /devices/code", Policy: change, Handler: c.deviceCode, Page: "/devices"},
		{Pattern: "POST /devices/camera", Policy: change, Handler: c.addCamera, Page: "/devices"},
		{Pattern: "POST /devices/{id}/revoke", Policy: change, Handler: c.revokeDevice, Page: "/devices"},
	}
}

type devicesBody struct {
	List     listing
	Rows     []deviceRow
	None     bool // there is no device at all
	Kinds    []gatehouse.DeviceKind
	Gates    []gatehouse.Gate
	Problem  string
	Pictures bool // whoever looks may see what cameras see
}

type deviceRow struct {
	DeviceState
	Gate   gatehouse.Gate
	Still  bool
	Stamp  int64
	Worry  bool // its state is one to do something about
	Camera bool // it gives pictures
}

// deviceKinds are those that enrol with a code.
var deviceKinds = []gatehouse.DeviceKind{gatehouse.Terminal, gatehouse.Kiosk, gatehouse.Reader, gatehouse.Camera, gatehouse.Relay}

func (c *Console) devices(w http.ResponseWriter, r *http.Request, status int, problem string) {
	all, err := c.o.Devices.Devices(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r, "kind")
	b := devicesBody{None: len(all) == 0, Kinds: deviceKinds, Gates: c.o.Gates, Problem: problem, Pictures: may(r, gatehouse.SeeLive)}
	seen := gatesOf(r, gatehouse.SeeLive)
	var rows []deviceRow
	for _, d := range all {
		if kind := list.Is("kind"); kind != "" && kind != string(d.Kind) {
			continue
		}
		row := deviceRow{DeviceState: d, Gate: c.gate(d.Gate), Camera: d.Kind == gatehouse.Camera || d.Reads || !d.Last.IsZero() && d.Kind != gatehouse.Reader}
		row.State = oneOf(d.State, "quiet", "ok", "stalled", "down", "ended")
		row.Shows = oneOf(d.Shows, "none", "key", "token", "revoked")
		row.Worry = row.State == "stalled" || row.State == "down"
		// What cameras see are the guards' pictures: of their own gates, each behind a
		// disclosure (see still). Whoever looks after devices alone sees none.
		if still, ok := c.o.Ring.Still(d.Gate); ok && row.Camera && seen.Has(d.Gate) {
			row.Still, row.Stamp = true, still.At.UnixMilli()
		}
		rows = append(rows, row)
	}
	shown := arrange(&list, rows, func(d deviceRow) []string { return []string{string(d.ID), d.Gate.Name, string(d.Gate.ID)} },
		by("id", func(d deviceRow) gatehouse.DeviceID { return d.ID }), by("gate", func(d deviceRow) string { return d.Gate.Name }),
		by("state", func(d deviceRow) string { return d.State }),
		by("lag", func(d deviceRow) time.Duration { return d.Lag }), by("dropped", func(d deviceRow) uint64 { return d.Dropped }),
		byTime("last", func(d deviceRow) time.Time { return d.Last }))
	if list.File {
		c.devicesFile(w, shown)
		return
	}
	b.List, b.Rows = list, shown
	c.render(w, r, status, "devices", "devices.title", "devices", b)
}

func (c *Console) devicesFile(w http.ResponseWriter, rows []deviceRow) {
	var out [][]string
	for _, d := range rows {
		out = append(out, []string{string(d.ID), string(d.Kind), string(d.Gate.ID), d.Shows, d.State, strconv.FormatFloat(d.FPS, 'f', 1, 64),
			strconv.FormatInt(d.Lag.Milliseconds(), 10), strconv.FormatUint(d.Dropped, 10), strconv.Itoa(d.Reconnects), when(d.Last)})
	}
	c.file(w, "devices", []string{"device", "kind", "gate", "shows", "state", "frames_per_second", "lag_ms", "dropped", "reconnects", "last"}, out)
}

// maxDeviceForm bounds the forms about devices, in bytes; an address has at most 500.
const maxDeviceForm = 8 << 10

// deviceIn reads which device a form is about.
func deviceIn(w http.ResponseWriter, r *http.Request) (gatehouse.Device, error) {
	if err := formIn(w, r, maxDeviceForm); err != nil {
		return gatehouse.Device{}, err
	}
	field := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	return gatehouse.Device{ID: gatehouse.DeviceID(field("id")), Kind: gatehouse.DeviceKind(field("kind")), Gate: gatehouse.GateID(field("gate"))}, nil
}

type codeView struct {
	DeviceCode
	Device gatehouse.Device
	Gate   gatehouse.Gate
	QR     picture
}

// deviceCode answers with the code itself: it is shown this once.
func (c *Console) deviceCode(w http.ResponseWriter, r *http.Request) {
	d, err := deviceIn(w, r)
	var code DeviceCode
	if err == nil {
		code, err = c.o.Devices.Code(r.Context(), who(r), d)
	}
	if err != nil {
		c.devicesRefused(w, r, err)
		return
	}
	b := codeView{DeviceCode: code, Device: d, Gate: c.gate(d.Gate)}
	if b.QR, err = qrPath(code.text()); err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "devicecode", "devices.code.title", "devices", b)
}

// text is what the QR code says: where the code is posted, and behind it, in the part of
// an address that is sent nowhere, the code and by what the server's certificate is known.
// docs/devices.md has it.
func (d DeviceCode) text() string {
	s := d.Address + "#code=" + gatehouse.EnrolmentCode(d.Code)
	if d.Authority != "" {
		s += "&authority=" + strings.ReplaceAll(d.Authority, ":", "")
	}
	return s
}

func (c *Console) addCamera(w http.ResponseWriter, r *http.Request) {
	d, err := deviceIn(w, r)
	if err == nil {
		d.Kind = gatehouse.Camera
		err = c.o.Devices.Camera(r.Context(), who(r), d, gatehouse.Secret(strings.TrimSpace(r.PostForm.Get("address"))))
	}
	if err != nil {
		c.devicesRefused(w, r, err)
		return
	}
	http.Redirect(w, r, "/devices", http.StatusSeeOther)
}

// devicesRefused shows what somebody can set right above the forms.
func (c *Console) devicesRefused(w http.ResponseWriter, r *http.Request, err error) {
	if status := askerStatus(gatehouse.ErrorCode(err)); status != 0 || gatehouse.ErrorCode(err) == "form.malformed" {
		c.devices(w, r, max(status, http.StatusBadRequest), plainError(languageOf(w, r), err))
		return
	}
	c.fail(w, r, err)
}

func (c *Console) revokeDevice(w http.ResponseWriter, r *http.Request) {
	if err := c.o.Devices.Revoke(r.Context(), who(r), gatehouse.DeviceID(r.PathValue("id"))); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/devices", http.StatusSeeOther)
}
