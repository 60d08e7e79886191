package mqtt

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// signAgain is how often a sign's topic is written where nothing changed: a broker that was
// started again without a memory has it back by then.
const signAgain = 30 * time.Second

// NewSign keeps what a sign shows at a topic, retained, at QoS 1: unlike a command, it may
// arrive late and is never wrong then, since the newest replaces it. payload is
// actuate.FillSign's. A broker that is away is tried again. Errors: mqtt.bad_address,
// mqtt.bad_topic.
func NewSign(c Config, topic, payload string) (*actuate.Sign, error) {
	c.Gates = nil
	if err := c.check(); err != nil {
		return nil, err
	}
	if topic == "" || strings.ContainsAny(topic, "+#\x00") || len(topic) > 65535 {
		return nil, gatehouse.Errorf("mqtt.bad_topic", "give the sign a topic without + and #", "a sign's topic cannot be used")
	}
	var l *link
	deliver := func(ctx context.Context, f gatehouse.SignFace) error {
		if l != nil {
			select {
			case <-l.lost:
				l = nil
			default:
			}
		}
		if l == nil {
			var err error
			if l, err = dial(ctx, c, nil, func(string, []byte, bool) {}); err != nil {
				return err
			}
			context.AfterFunc(ctx, l.close)
		}
		t := l.client.Publish(topic, 1, true, actuate.FillSign(payload, f))
		if !t.WaitTimeout(c.Deliver) || t.Error() != nil {
			l.reset()
			return gatehouse.Errorf("mqtt.lost", "it is being connected to again", "the connection to the broker was lost")
		}
		return nil
	}
	return actuate.NewSign(topic, signAgain, deliver), nil
}
