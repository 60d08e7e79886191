package mqtt

import (
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"gatehouse"
)

// reads is what a sign reads that is switched on now: the retained message of its topic.
func reads(t *testing.T, addr, topic, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		texts := make(chan string, 1)
		c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(gatehouse.RandomID().String()).SetProtocolVersion(4))
		if !c.Connect().WaitTimeout(time.Second) || !c.IsConnected() {
			continue
		}
		c.Subscribe(topic, 1, func(_ paho.Client, m paho.Message) {
			select {
			case texts <- string(m.Payload()):
			default:
			}
		}).WaitTimeout(time.Second)
		select {
		case got = <-texts:
		case <-time.After(300 * time.Millisecond):
		}
		c.Disconnect(0)
		if got == want {
			return
		}
	}
	t.Fatalf("a sign reads %q, not %q", got, want)
}

// A sign that is switched on later reads what it shows now; so does one behind a broker that was
// away when it changed.
func TestASignReadsWhatItShows(t *testing.T) {
	b := &inProcess{at: freePort(t)}
	b.start(t)
	s, err := NewSign(Config{Broker: "tcp://" + b.addr()}, "park/centre", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	t.Cleanup(b.stop)
	s.Show(gatehouse.SignFace{CarPark: "centre", Free: 3})
	s.Show(gatehouse.SignFace{CarPark: "centre", Free: 2, Classes: map[gatehouse.VehicleClass]int{"motorbike": 7}})
	reads(t, b.addr(), "park/centre", `{"car_park":"centre","free":2,"full":false,"classes":{"motorbike":7}}`)
	b.stop()
	s.Show(gatehouse.SignFace{CarPark: "centre", Full: true})
	b.start(t) // without a memory
	reads(t, b.addr(), "park/centre", `{"car_park":"centre","free":0,"full":true}`)
	for _, topic := range []string{"", "park/#", "a+b"} {
		if _, err := NewSign(Config{Broker: "tcp://" + b.addr()}, topic, ""); gatehouse.ErrorCode(err) != "mqtt.bad_topic" {
			t.Errorf("the topic %q: %v", topic, err)
		}
	}
}
