package mqtt

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// maxPayload bounds a message that is read; a sensor says little.
const maxPayload = 4 << 10

// parseSignal reads a sensor's message, ok false for anything that is none. It is
// either one word or a JSON object with the passage's id, where the sensor has it:
//
//	passed
//	{"outcome":"not_passed","passage":"0199…"}
func parseSignal(payload []byte) (s actuate.Signal, ok bool) {
	if len(payload) > maxPayload {
		return actuate.Signal{}, false
	}
	word := strings.ToLower(string(bytes.TrimSpace(payload)))
	if strings.HasPrefix(word, "{") {
		var m struct {
			Outcome string `json:"outcome"`
			Passage string `json:"passage"`
		}
		if err := json.Unmarshal(payload, &m); err != nil {
			return actuate.Signal{}, false
		}
		if m.Passage != "" {
			var err error
			if s.Passage, err = gatehouse.ParseID(m.Passage); err != nil {
				return actuate.Signal{}, false
			}
		}
		word = m.Outcome
	}
	switch gatehouse.Outcome(word) {
	case gatehouse.Passed, gatehouse.NotPassed, gatehouse.Tailgated:
		s.Outcome = gatehouse.Outcome(word)
		return s, true
	}
	return actuate.Signal{}, false
}

// parseState reads a gate's state, one of actuate's words, or a JSON object with it
// under "state"; unknown for anything else.
func parseState(payload []byte) string {
	if len(payload) > maxPayload {
		return actuate.GateUnknown
	}
	word := strings.ToLower(string(bytes.TrimSpace(payload)))
	if strings.HasPrefix(word, "{") {
		var m struct {
			State string `json:"state"`
		}
		if err := json.Unmarshal(payload, &m); err != nil {
			return actuate.GateUnknown
		}
		word = strings.ToLower(m.State)
	}
	switch word {
	case actuate.GateOpen, actuate.GateClosed, actuate.GateFault:
		return word
	}
	return actuate.GateUnknown
}

// parseOnline reads an availability message: online, or a JSON object with that
// under "state", as Zigbee2MQTT writes it.
func parseOnline(payload []byte) bool {
	if len(payload) > maxPayload {
		return false
	}
	word := strings.ToLower(string(bytes.TrimSpace(payload)))
	if strings.HasPrefix(word, "{") {
		var m struct {
			State string `json:"state"`
		}
		if err := json.Unmarshal(payload, &m); err != nil {
			return false
		}
		word = strings.ToLower(m.State)
	}
	return word == "online"
}

// defaultCommand is what a gate is told where Topics.Payload is empty.
const defaultCommand = `{"command":"open","passage":"{passage}","hold_ms":{hold_ms},"expires_ms":{expires_ms}}`

// command fills a payload's placeholders in.
func command(template string, c gatehouse.OpenCommand, expires time.Time) string {
	if template == "" {
		template = defaultCommand
	}
	return strings.NewReplacer(
		"{passage}", c.Passage.String(),
		"{hold_s}", strconv.FormatFloat(c.Hold.Seconds(), 'f', -1, 64),
		"{hold_ms}", strconv.FormatInt(c.Hold.Milliseconds(), 10),
		"{expires_ms}", strconv.FormatInt(expires.UnixMilli(), 10),
	).Replace(template)
}
