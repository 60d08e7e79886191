package mqtt

import (
	"crypto/tls"
	"net/url"
	"strings"
	"time"

	"gatehouse"
)

// Topics are one gate's topics. Only Command is needed.
type Topics struct {
	// Command is where the gate is told to open, at QoS 1, never retained.
	Command string
	// Payload is the message, with the placeholders {passage}, {hold_s}, {hold_ms}
	// and {expires_ms} (Unix milliseconds); "": a JSON object of those. A device
	// should keep its clock and ignore a command that has expired: MQTT 3.1.1 has no
	// expiry of its own, and a broker may hand a command on late when it hung itself,
	// or keep it for a device that is away and has a persistent session. Give devices
	// that cannot do that a clean session and an Availability topic.
	Payload string
	// Sensor is where the gate says "passed" or "not_passed", or a JSON object
	// {"outcome":"passed","passage":"…"}; retained messages are ignored there. "":
	// nothing ever confirms.
	Sensor string
	// State is where the gate keeps, retained, whether it is open, closed or in
	// fault; "" for none.
	State string
	// Availability is where the device keeps, retained and as its will, online or
	// offline. Where it is set, a gate that is not online is unreachable. "" for none.
	Availability string
}

// Config is a broker and the gates behind it.
type Config struct {
	Broker   string // tcp://host:1883 or tls://host:8883; without user and password
	ClientID string // unique at the broker; "": gatehouse and 8 random digits
	User     string
	Password gatehouse.Secret
	TLS      *tls.Config // for tls; nil: the system's roots
	Gates    map[gatehouse.GateID]Topics
	// Availability is where this server keeps, retained and as its will, online or
	// offline; "" for none.
	Availability string
	// Deliver is how long the broker may take to accept a command; 0: 3 s. A
	// command's own ConfirmWithin bounds it, too.
	Deliver time.Duration
}

func (c *Config) check() error {
	u, err := url.Parse(c.Broker)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "tcp" && u.Scheme != "tls"):
		return gatehouse.Errorf("mqtt.bad_address", "write it as tcp://host:1883 or tls://host:8883", "the broker's address cannot be used")
	case u.User != nil:
		return gatehouse.Errorf("mqtt.bad_address", "put the user and password into the secret store", "the broker's address must not hold a password")
	}
	if u.Port() == "" {
		port := ":1883"
		if u.Scheme == "tls" {
			port = ":8883"
		}
		u.Host += port
		c.Broker = u.String()
	}
	for _, t := range c.Gates {
		for i, topic := range []string{t.Command, t.Sensor, t.State, t.Availability} {
			if (i == 0 && topic == "") || strings.ContainsAny(topic, "+#\x00") || len(topic) > 65535 {
				return gatehouse.Errorf("mqtt.bad_topic", "give each gate a command topic; use no + and #", "a gate's topics cannot be used")
			}
		}
	}
	if c.ClientID == "" {
		c.ClientID = "gatehouse" + gatehouse.RandomID().String()[:8]
	}
	if c.Deliver <= 0 {
		c.Deliver = 3 * time.Second
	}
	return nil
}
