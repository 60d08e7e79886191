package server

import (
	"context"
	"path/filepath"
	"time"

	"gatehouse"
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
	if m := c.Mail; m.Host != "" {
		all = append(all, notify.NewMail(notify.Mail{Host: m.Host, Port: m.Port, Security: notify.Security(m.Security), User: m.User, Password: secret("smtp"), From: m.From, To: m.To}, place))
	}
	return all
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
			if err := s.alarms.Raise(p.Alarm); err != nil {
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
