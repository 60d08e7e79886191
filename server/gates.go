package server

import (
	"context"
	"net/url"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/actuate"
	"gatehouse/actuate/httprelay"
	"gatehouse/actuate/mqtt"
	"gatehouse/actuate/sim"
)

// gates holds the actuators and what is known of each gate's state.
type gates struct {
	server    *Server
	actuators map[gatehouse.GateID]actuate.Actuator

	mu      sync.Mutex
	cameras map[gatehouse.GateID]string
	last    map[gatehouse.GateID]gatehouse.GateState
}

// openGates starts one actuator for each way of opening that the gates use.
func (s *Server) openGates() (*gates, error) {
	g := &gates{server: s, actuators: map[gatehouse.GateID]actuate.Actuator{}, cameras: map[gatehouse.GateID]string{}, last: map[gatehouse.GateID]gatehouse.GateState{}}
	byKind := map[string][]GateConfig{}
	for _, c := range s.config.Gates {
		byKind[c.Actuator.Kind] = append(byKind[c.Actuator.Kind], c)
	}
	for kind, all := range byKind {
		var a actuate.Actuator
		var err error
		switch kind {
		case "simulated":
			a = s.simulated(all)
		case "http":
			a, err = s.httpRelays(all)
		case "mqtt":
			a, err = s.mqttRelays(all)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		s.onClose(func(context.Context) error { return a.Close() })
		for _, c := range all {
			g.actuators[gatehouse.GateID(c.ID)] = a
		}
	}
	return g, nil
}

func (s *Server) simulated(all []GateConfig) actuate.Actuator {
	c := sim.Config{NotPassed: 0.05, Seed: 1}
	for _, g := range all {
		c.Gates = append(c.Gates, gatehouse.GateID(g.ID))
	}
	return sim.New(c)
}

func (s *Server) httpRelays(all []GateConfig) (actuate.Actuator, error) {
	c := httprelay.Config{Gates: map[gatehouse.GateID]httprelay.Gate{}}
	for _, g := range all {
		open, err := s.relayRequest(g.Actuator)
		if err != nil {
			return nil, err
		}
		open.Method, open.Body = g.Actuator.Method, g.Actuator.Body
		gate := httprelay.Gate{Open: open}
		if g.Actuator.Sensor != "" {
			status := open
			status.Method, status.Body, status.URL = "", "", g.Actuator.Sensor
			gate.Status = httprelay.Status{Request: status, Field: g.Actuator.Field, Passed: g.Actuator.Passed, NotPassed: g.Actuator.NotPassed, Tailgated: g.Actuator.Tailgated}
		}
		c.Gates[gatehouse.GateID(g.ID)] = gate
	}
	return httprelay.New(c)
}

// mqttRelays connects to each broker that gates name, once.
func (s *Server) mqttRelays(all []GateConfig) (actuate.Actuator, error) {
	byBroker := map[string]mqtt.Config{}
	for _, g := range all {
		r, err := s.relayRequest(g.Actuator)
		if err != nil {
			return nil, err
		}
		c, ok := byBroker[r.URL]
		if !ok {
			c = mqtt.Config{Broker: r.URL, User: r.User, Password: r.Password, Gates: map[gatehouse.GateID]mqtt.Topics{}}
		}
		c.Gates[gatehouse.GateID(g.ID)] = mqtt.Topics{Command: g.Actuator.Command, Payload: g.Actuator.Body, Sensor: g.Actuator.Sensor,
			State: g.Actuator.State, Availability: g.Actuator.Availability}
		byBroker[r.URL] = c
	}
	if len(byBroker) != 1 {
		return nil, gatehouse.Errorf("config.invalid", "name the same broker at each gate", "the gates of one site use one MQTT broker, not %d", len(byBroker))
	}
	for _, c := range byBroker {
		return mqtt.New(c)
	}
	panic("unreachable: there is one broker")
}

// relayRequest takes the relay's address from the file, or with its credentials
// from the sealed address of the relay's device.
func (s *Server) relayRequest(a ActuatorConfig) (httprelay.Request, error) {
	r := httprelay.Request{URL: a.URL}
	sealed, ok := s.working.Source(gatehouse.DeviceID(a.Device))
	if a.Device == "" || !ok {
		return r, nil
	}
	u, err := url.Parse(sealed)
	if err != nil {
		return r, gatehouse.Errorf("relay.bad_address", "enrol it again with `gatehouse device add`", "the sealed address of the relay %s is no URL", a.Device)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		r.User, r.Password = u.User.Username(), gatehouse.Secret(password)
		u.User = nil
	}
	if a.URL == "" {
		r.URL = u.String()
	}
	return r, nil
}

// actuator returns nil (and no empty interface) for a gate that has none.
func (g *gates) actuator(id gatehouse.GateID) gatehouse.Actuator {
	if a, ok := g.actuators[id]; ok {
		return a
	}
	return nil
}

func (g *gates) setCamera(id gatehouse.GateID, state string) {
	g.mu.Lock()
	g.cameras[id] = state
	g.mu.Unlock()
	g.publish(id)
}

// publish tells the feed a gate's state.
func (g *gates) publish(id gatehouse.GateID) {
	s := gatehouse.GateState{Gate: id, State: "unknown", Since: time.Now()}
	if a, ok := g.actuators[id]; ok {
		s = a.State(id)
	}
	g.mu.Lock()
	s.Camera = g.cameras[id]
	if s.Camera == "" {
		s.Camera = "none"
	}
	last := g.last[id]
	changed := last.State != s.State || last.Camera != s.Camera
	if changed {
		g.last[id] = s
	}
	g.mu.Unlock()
	if changed {
		g.server.hub.SetGate(s)
	}
}

// run keeps the states fresh.
func (g *gates) run(ctx context.Context) {
	beat := time.NewTicker(250 * time.Millisecond)
	defer beat.Stop()
	for {
		for _, c := range g.server.config.Gates {
			g.publish(gatehouse.GateID(c.ID))
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}
