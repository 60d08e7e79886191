// Package rtsptest is an RTSP camera for tests: a relay that takes what ffmpeg
// sends as RTP and serves it over RTSP, interleaved in TCP (RFC 2326, 10.12), since
// ffmpeg itself cannot serve RTSP.
package rtsptest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Camera is a running relay. Its stream goes on whether somebody watches or not.
type Camera struct {
	sdp      string
	user     string // asked for (Basic) where it is set
	password string
	addr     string
	mu       sync.Mutex
	listener net.Listener
	conns    map[*conn]bool
	stalled  bool
	plays    int
}

// Start serves what ffmpeg makes of the input arguments (for example "-re",
// "-stream_loop", "-1", "-i", "clip.mp4"), copied without encoding it again.
func Start(t testing.TB, input ...string) *Camera {
	t.Helper()
	rtp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = rtp.SetReadBuffer(4 << 20)
	sdp := filepath.Join(t.TempDir(), "stream.sdp")
	args := append([]string{"-nostdin", "-hide_banner", "-loglevel", "error"}, input...)
	args = append(args, "-an", "-c:v", "copy", "-f", "rtp", "-sdp_file", sdp,
		fmt.Sprintf("rtp://%s?pkt_size=1300", rtp.LocalAddr()))
	cmd := exec.Command("ffmpeg", args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &Camera{conns: map[*conn]bool{}}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		c.Down()
		_ = rtp.Close()
	})
	for range 2000 {
		if b, err := os.ReadFile(sdp); err == nil && strings.Contains(string(b), "m=video") {
			c.sdp = string(b)
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	if c.sdp == "" {
		t.Fatal("ffmpeg described no stream")
	}
	// The transport is ours, not that of the SDP.
	lines := []string{}
	for _, l := range strings.Split(strings.ReplaceAll(c.sdp, "\r", ""), "\n") {
		if strings.HasPrefix(l, "m=video") {
			f := strings.Fields(l)
			l = "m=video 0 RTP/AVP " + f[len(f)-1]
		}
		if l != "" && !strings.HasPrefix(l, "SDP:") {
			lines = append(lines, l)
		}
	}
	c.sdp = strings.Join(append(lines, "a=control:track0"), "\r\n") + "\r\n"
	c.Up(t)
	go c.relay(rtp)
	return c
}

// Protect makes the camera ask for a user and password.
func (c *Camera) Protect(user, password string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user, c.password = user, password
}

// URL is the camera's address, with its credentials.
func (c *Camera) URL() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user != "" {
		return "rtsp://" + c.user + ":" + c.password + "@" + c.addr + "/live"
	}
	return "rtsp://" + c.addr + "/live"
}

// Plays is how often a client began to play.
func (c *Camera) Plays() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plays
}

// Stall keeps connections open and sends nothing while on is set.
func (c *Camera) Stall(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = on
}

// Down closes the listener and every connection, as a power cut does.
func (c *Camera) Down() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.listener.Close()
	for k := range c.conns {
		_ = k.Close()
	}
}

// Up listens, again on the same port after Down.
func (c *Camera) Up(t testing.TB) {
	t.Helper()
	if c.addr == "" {
		c.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", c.addr)
	for range 300 { // a connection of somebody else's may have taken the port meanwhile
		if err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
		l, err = net.Listen("tcp", c.addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.listener, c.addr = l, l.Addr().String()
	c.mu.Unlock()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			k := &conn{Conn: nc}
			c.mu.Lock()
			c.conns[k] = true
			c.mu.Unlock()
			go c.serve(k)
		}
	}()
}

type conn struct {
	net.Conn
	mu      sync.Mutex
	playing bool
}

func (k *conn) send(b []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = k.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, _ = k.Write(b)
}

// relay frames every RTP packet as "$", channel 0, length (RFC 2326, 10.12).
func (c *Camera) relay(rtp *net.UDPConn) {
	buf := make([]byte, 4+65536)
	for {
		n, err := rtp.Read(buf[4:])
		if err != nil {
			return
		}
		buf[0], buf[1], buf[2], buf[3] = '$', 0, byte(n>>8), byte(n)
		c.mu.Lock()
		var to []*conn
		for k := range c.conns {
			if k.playing && !c.stalled {
				to = append(to, k)
			}
		}
		c.mu.Unlock()
		for _, k := range to {
			k.send(buf[:4+n])
		}
	}
}

func (c *Camera) serve(k *conn) {
	defer func() {
		_ = k.Close()
		c.mu.Lock()
		delete(c.conns, k)
		c.mu.Unlock()
	}()
	r := bufio.NewReader(k)
	for {
		if b, err := r.Peek(4); err != nil {
			return
		} else if b[0] == '$' { // the client's RTCP
			if _, err := r.Discard(4 + int(b[2])<<8 + int(b[3])); err != nil {
				return
			}
			continue
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		h, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			return
		}
		method, _, _ := strings.Cut(line, " ")
		status, extra, body := "200 OK", "", ""
		c.mu.Lock()
		user, want := c.user, "Basic "+base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.password))
		c.mu.Unlock()
		switch {
		case method == "OPTIONS":
			extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
		case user != "" && h.Get("Authorization") != want:
			status, extra = "401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n"
		case method == "DESCRIBE":
			body = c.sdp
			extra = fmt.Sprintf("Content-Type: application/sdp\r\nContent-Base: rtsp://%s/live/\r\nContent-Length: %d\r\n", c.addr, len(body))
		case method == "SETUP":
			extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
		}
		k.send([]byte("RTSP/1.0 " + status + "\r\nCSeq: " + h.Get("Cseq") + "\r\nSession: 1\r\n" + extra + "\r\n" + body))
		if method == "PLAY" && status == "200 OK" {
			c.mu.Lock()
			k.playing = true
			c.plays++
			c.mu.Unlock()
		}
	}
}
