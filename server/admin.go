package server

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/flow/enroll"
)

// Admin carries out an administrator's commands, over the socket or in process.
func (s *Server) Admin() api.Admin { return s.admin() }

type admin struct {
	*Server
	desk
}

func (s *Server) admin() admin { return s.adminOf(socketOperator) }

// adminOf carries out commands in the name of an operator: that of the admin socket, or of
// somebody who signed in to the console.
func (s *Server) adminOf(operator string) admin {
	return admin{s, desk{at: s.vault.Desk, operator: operator, lessee: s.lend.Holder(operator)}}
}

const socketOperator = auth.SocketOperator

// asker is who asks: a program with its token, or in whose name the commands are.
func (a admin) asker(ctx context.Context) string {
	if c, ok := auth.CallerFrom(ctx); ok {
		return c.Operator
	}
	return a.operator
}

// EnrollPerson implements api.Admin.
func (a admin) EnrollPerson(ctx context.Context, r wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
	if err := a.checkGrants(r.Grants); err != nil {
		return wire.EnrollResponse{}, err
	}
	if len(r.Photos) > wire.MaxPhotos {
		return wire.EnrollResponse{}, gatehouse.Errorf("enroll.photos", "choose the best few", "at most %d photos can be enrolled at once", wire.MaxPhotos)
	}
	id, err := a.enroll.Person(ctx, enroll.Person{Label: r.Label, Record: r.Record, Photos: r.Photos, Grants: r.Grants,
		Consent:      enroll.Agreement{Given: r.ConsentGiven, How: r.ConsentHow, Reference: gatehouse.Secret(r.ConsentRef), Guardian: r.Guardian},
		DistinctFrom: r.DistinctFrom, Card: gatehouse.Secret(r.Card), PIN: gatehouse.Secret(r.PIN), QR: gatehouse.Secret(r.QR),
		ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil})
	return wire.EnrollResponse{Subject: id, Templates: len(r.Photos)}, err
}

// EnrollVehicle implements api.Admin.
func (a admin) EnrollVehicle(ctx context.Context, r wire.EnrollVehicleRequest) (wire.EnrollResponse, error) {
	if err := a.checkGrants(r.Grants); err != nil {
		return wire.EnrollResponse{}, err
	}
	id, err := a.enroll.Vehicle(ctx, enroll.Vehicle{Label: r.Label, Record: r.Record, Grants: r.Grants})
	return wire.EnrollResponse{Subject: id}, err
}

// checkGrants refuses gates and schedules that do not exist: a typing error must
// not turn somebody away at the door.
func (a admin) checkGrants(grants []gatehouse.Grant) error {
	for _, g := range grants {
		if _, ok := a.site.Gates[g.Gate]; !ok && g.Gate != "*" {
			return gatehouse.Errorf("grant.unknown_gate", "use an id from `gates` in gatehouse.yml, or *", "there is no gate %q", g.Gate)
		}
		if _, ok := a.rules.Schedule(g.Schedule); !ok && g.Schedule != "always" {
			return gatehouse.Errorf("grant.unknown_schedule", "use a name that `gatehouse schedule list` shows, or always", "there is no schedule %q", g.Schedule)
		}
	}
	return nil
}

// Subjects implements api.Admin.
func (a admin) Subjects(ctx context.Context, after gatehouse.SubjectID, limit int) (wire.SubjectsResponse, error) {
	subjects, err := a.store.Subjects(ctx, a.site.Place, after, limit)
	var out wire.SubjectsResponse
	for _, s := range subjects {
		out.Subjects = append(out.Subjects, a.subject(s))
	}
	if len(subjects) == limit && limit > 0 {
		out.Next = subjects[limit-1].ID
	}
	return out, err
}

// SetStatus implements api.Admin.
func (a admin) SetStatus(ctx context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus) error {
	return a.enroll.SetStatus(ctx, id, to)
}

// WithdrawConsent implements api.Admin.
func (a admin) WithdrawConsent(ctx context.Context, id gatehouse.SubjectID) error {
	return a.enroll.WithdrawConsent(ctx, id, gatehouse.FaceAtDoors)
}

// AddDevice implements api.Admin.
func (a admin) AddDevice(ctx context.Context, r wire.DeviceAddRequest) (wire.DeviceAddResponse, error) {
	var none wire.DeviceAddResponse
	d, err := a.described(r)
	if err != nil {
		return none, err
	}
	enrolled, err := a.store.Devices(ctx, a.site.Place)
	if err != nil {
		return none, err
	}
	again := slices.ContainsFunc(enrolled, func(e gatehouse.Device) bool { return e.ID == r.ID })
	token := auth.NewToken()
	if err := a.store.PutDevice(ctx, d, gatehouse.DeviceLeaf(d, time.Now())); err != nil {
		return none, err
	}
	if err := a.working.PutDevice(ctx, r.ID, gatehouse.Secret(token), r.Source); err != nil {
		return none, err
	}
	a.startAdded(d)
	return wire.DeviceAddResponse{ID: r.ID, Token: token, Again: again}, nil
}

// isRunning reports whether this is a server that runs, and not its store that a
// command opened.
func (s *Server) isRunning() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running != nil
}

// Seal implements api.Admin.
func (a admin) Seal(ctx context.Context) (wire.VaultStatus, error) {
	if err := a.lend.Seal(ctx); err != nil {
		return wire.VaultStatus{}, err
	}
	a.hub.VaultChanged()
	return a.vaultStatus(ctx)
}

// Link implements api.Admin.
func (a admin) Link(context.Context) (wire.LinkResponse, error) {
	if a.auth == nil {
		return wire.LinkResponse{}, gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "there is no running server to link to")
	}
	if a.accounts.Ready() && !a.opts.LocalSession {
		return wire.LinkResponse{}, gatehouse.Errorf("account.ready", "name the account whose owner is to be let in: `gatehouse link --account LOGIN`", "this site has accounts, and a link belongs to one")
	}
	return wire.LinkResponse{Link: a.entrance()}, nil
}

// Status implements api.Admin.
func (a admin) Status(ctx context.Context) (wire.Status, error) {
	v, err := a.vaultStatus(ctx)
	people, vehicles := a.working.Count()
	s := wire.Status{Version: Version, Running: a.isRunning(), Org: string(a.site.Place.Org), Site: string(a.site.Place.Site), Started: a.started, Address: a.config.Listen,
		Vault: v, Index: a.indexStatus(ctx), Custody: string(a.gateKey.Custody()), CustodyMeans: a.gateKey.Custody().Means(), Faces: a.hub.Faces(), Enrolled: people + vehicles}
	states := map[gatehouse.GateID]gatehouse.GateState{}
	for _, g := range a.hub.Gates() {
		states[g.Gate] = g
	}
	for _, g := range a.config.Gates {
		st := states[gatehouse.GateID(g.ID)]
		s.Gates = append(s.Gates, wire.Gate{ID: gatehouse.GateID(g.ID), Kind: gatehouse.GateKind(g.Kind), Name: g.Name, State: st.State, Camera: st.Camera})
	}
	return s, err
}

// VerifyDevice implements auth.DeviceVerifier.
func (a admin) VerifyDevice(ctx context.Context, id gatehouse.DeviceID, token string) (gatehouse.Device, error) {
	ok := a.working.DeviceToken(id, gatehouse.Secret(token))
	d, err := a.device(ctx, id)
	if !ok || err != nil {
		a.noteCanary(ctx, gatehouse.Secret(token), id)
		return gatehouse.Device{}, auth.Refused()
	}
	return d, nil
}
