package server

import (
	"context"
	"reflect"
	"time"

	"gatehouse"
	"gatehouse/actuate"
	"gatehouse/actuate/httprelay"
	"gatehouse/actuate/mqtt"
	"gatehouse/rules/parking"
)

// signLook is how often the signs' numbers are looked at: they are in memory.
const signLook = time.Second

// signs tells the signs in front of car parks what they show.
type signs struct {
	server *Server
	signs  map[string]*actuate.Sign // by car park
	shown  map[string]gatehouse.SignFace
	again  map[string]int
}

// openSigns begins to reach the signs of gatehouse.yml.
func (s *Server) openSigns() (*signs, error) {
	out := &signs{server: s, signs: map[string]*actuate.Sign{}, shown: map[string]gatehouse.SignFace{}, again: map[string]int{}}
	for _, c := range s.config.Parking {
		var sign *actuate.Sign
		r, err := s.relayRequest(ActuatorConfig{URL: c.Sign.URL, Device: c.Sign.Device})
		if err == nil && c.Sign.Kind == "http" {
			r.Method, r.Body = c.Sign.Method, c.Sign.Body
			sign, err = httprelay.NewSign(r)
		} else if err == nil && c.Sign.Kind == "mqtt" {
			sign, err = mqtt.NewSign(mqtt.Config{Broker: r.URL, User: r.User, Password: r.Password}, c.Sign.Topic, c.Sign.Body)
		}
		if err != nil {
			return nil, err
		}
		if sign != nil {
			out.signs[c.ID], out.again[c.ID] = sign, c.Sign.FreeAgain
			s.onClose(func(context.Context) error { return sign.Close() })
		}
	}
	return out, nil
}

// run shows what changed, until the server ends. What was shown before a start is not known: a
// sign is full then until there are as many spaces as after it was full.
func (g *signs) run(ctx context.Context) {
	if len(g.signs) == 0 {
		return
	}
	for {
		g.look()
		select {
		case <-time.After(signLook):
		case <-ctx.Done():
			return
		}
	}
}

func (g *signs) look() {
	for _, o := range g.server.stays.Occupancies() {
		sign, ok := g.signs[o.CarPark.ID]
		if !ok {
			continue
		}
		before, known := g.shown[o.CarPark.ID]
		f := gatehouse.SignFace{CarPark: o.CarPark.ID, Free: o.Free, Full: parking.Full(o.Free, g.again[o.CarPark.ID], before.Full, known), Classes: o.Classes}
		if f.Full { // a number beside it would be a promise
			f.Free = 0
		}
		if known && reflect.DeepEqual(f, before) {
			continue
		}
		g.shown[o.CarPark.ID] = f
		sign.Show(f)
	}
}
