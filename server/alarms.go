package server

import (
	"context"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/notify"
)

// openAlarms takes up the alarms that a former run has not delivered.
func (s *Server) openAlarms(context.Context) error {
	var err error
	s.alarms, err = notify.Open(notify.Options{Dir: filepath.Join(s.config.Data, "alarms"), Place: s.site.Place, Keep: s.gateKey, Channels: s.config.Alarms.channels(s.site.Place, s), Log: s.log})
	return err
}

// channels are the ways that the configuration names.
func (c AlarmsConfig) channels(place gatehouse.Place, secrets Secrets) (all []notify.Channel) {
	secret := func(name string) func() (gatehouse.Secret, bool) {
		return func() (gatehouse.Secret, bool) { return secrets.Secret(name) }
	}
	if c.Webhook.URL != "" {
		all = append(all, notify.NewWebhook(notify.Webhook{URL: c.Webhook.URL, Secret: secret("webhook")}, place))
	}
	if m, ok := c.mail(secrets); ok {
		all = append(all, notify.NewMail(m, place))
	}
	return all
}

// mail is the mail server that the configuration names; ok is false where it names none.
func (c AlarmsConfig) mail(secrets Secrets) (_ notify.Mail, ok bool) {
	m := c.Mail
	return notify.Mail{Host: m.Host, Port: m.Port, Security: notify.Security(m.Security), User: m.User, From: m.From, To: m.To, Lang: m.Language,
		Password: func() (gatehouse.Secret, bool) { return secrets.Secret("smtp") }}, m.Host != ""
}

// alarmsEvery is how often the vault is asked for alarms that nobody told the server
// of; those of a request are fetched with its answer.
const alarmsEvery = time.Second

// watchAlarms takes the vault's alarms over as long as the server runs. The vault
// keeps each until the notifier has it on disk.
func (s *Server) watchAlarms(ctx context.Context) {
	beat := time.NewTicker(alarmsEvery)
	defer beat.Stop()
	for {
		if err := s.takeAlarms(ctx); err != nil && ctx.Err() == nil && gatehouse.ErrorCode(err) != "vault.unavailable" {
			s.log.Error("alarms cannot be taken over from the vault", "code", gatehouse.ErrorCode(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

func (s *Server) takeAlarms(ctx context.Context) error {
	s.taking.Lock()
	defer s.taking.Unlock()
	for {
		pending, err := s.vault.Alarms(ctx)
		if err != nil || len(pending) == 0 {
			return err
		}
		for _, p := range pending {
			if err := s.raise(ctx, p.Alarm); err != nil {
				return err
			}
			if p.Alarm.Kind == gatehouse.CanaryAlarm {
				s.hub.VaultChanged() // no name stays on a screen
			}
		}
		if err := s.vault.AlarmsTaken(ctx, pending[len(pending)-1].N); err != nil {
			return err
		}
	}
}

// raise puts an alarm on the list, where it stays until somebody acknowledges it, and
// sends it to people. It may be called again with the same alarm.
func (s *Server) raise(ctx context.Context, a gatehouse.Alarm) error {
	if err := s.store.PutAlarm(ctx, s.site.Place, a); err != nil {
		s.log.Error("an alarm cannot be put on the list", "alarm", a.ID, "kind", string(a.Kind), "code", gatehouse.ErrorCode(err))
		// Whoever is to look now is told all the same: a full disk must keep no alarm back.
	}
	err := s.alarms.Raise(a)
	s.hub.AlarmsChanged()
	return err
}

// gateAlarmEvery is how often one gate that cannot be reached raises an alarm.
const gateAlarmEvery = 10 * time.Minute

// gateUnreachable raises an alarm about a gate, unless one was raised a short while ago.
func (s *Server) gateUnreachable(gate gatehouse.GateID) {
	now := time.Now()
	s.mu.Lock()
	if last, ok := s.gateAlarms[gate]; ok && now.Sub(last) < gateAlarmEvery {
		s.mu.Unlock()
		return
	}
	if s.gateAlarms == nil {
		s.gateAlarms = map[gatehouse.GateID]time.Time{}
	}
	s.gateAlarms[gate] = now
	s.mu.Unlock()
	if err := s.raise(context.Background(), gatehouse.Alarm{ID: gatehouse.NewID(now), At: now.UTC(), Kind: gatehouse.GateAlarm, Gate: gate}); err != nil {
		s.log.Error("an alarm cannot be kept", "gate", gate, "code", gatehouse.ErrorCode(err))
	}
}

// acknowledge closes an alarm.
func (s *Server) acknowledge(ctx context.Context, by string, id gatehouse.ID) error {
	now := time.Now().UTC()
	err := s.store.AcknowledgeAlarm(ctx, s.site.Place, id, by, now, gatehouse.AlarmLeaf(now, s.site.Place, id, by))
	if err == nil {
		s.committed()
		s.hub.AlarmsChanged()
	}
	return err
}

// Alarms implements console.Alarms.
func (p pages) Alarms(ctx context.Context, q gatehouse.AlarmQuery) ([]gatehouse.RaisedAlarm, error) {
	return p.store.Alarms(ctx, q)
}

// Acknowledge implements console.Alarms.
func (p pages) Acknowledge(ctx context.Context, who console.Who, id gatehouse.ID) error {
	return p.acknowledge(ctx, who.Operator, id)
}

// Alarms implements api.AlarmsAdmin.
func (a admin) Alarms(ctx context.Context, before gatehouse.ID, open bool) (wire.Alarms, error) {
	const page = 200
	found, err := a.store.Alarms(ctx, gatehouse.AlarmQuery{Place: a.site.Place, Open: open, Before: before, Limit: page + 1})
	out := wire.Alarms{Alarms: []wire.Alarm{}}
	if len(found) > page {
		found = found[:page]
		out.Next = found[page-1].ID
	}
	for _, one := range found {
		out.Alarms = append(out.Alarms, wire.Alarm{ID: one.ID, At: one.At, Kind: one.Kind, Says: one.Sentence(), Gate: one.Gate, Acknowledged: one.Acknowledged, By: one.By})
	}
	return out, err
}

// AcknowledgeAlarm implements api.AlarmsAdmin.
func (a admin) AcknowledgeAlarm(ctx context.Context, id gatehouse.ID) error {
	return a.acknowledge(ctx, socketOperator, id)
}
