package stream

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func part(n int, body []byte) []byte {
	return append([]byte("--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: "+itoa(n)+"\r\n\r\n"), append(body, "\r\n"...)...)
}

func itoa(n int) string {
	var b []byte
	for ; n > 0 || len(b) == 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// FuzzFrames feeds any bytes as ffmpeg's two outputs: no panic, no frame whose
// bytes do not fit its size, no allocation beyond what the size line says.
func FuzzFrames(f *testing.F) {
	line := "[Parsed_showinfo_3 @ 0x55] [info] n:   0 pts:      0 pts_time:0.04    pos:      564 fmt:yuv420p sar:1/1 s:4x2 i:P iskey:1 type:I \n"
	f.Add(part(12, make([]byte, 12)), line)
	f.Add(append(part(12, make([]byte, 12)), part(24, make([]byte, 24))...), line+strings.ReplaceAll(line, "4x2", "4x4"))
	f.Add(part(12, nil), line)
	f.Add([]byte("--ffmpeg\r\n\r\n"), strings.ReplaceAll(line, "0.04", "N/A"))
	f.Add([]byte("--x\r\nContent-length: -5\r\n\r\n"), strings.ReplaceAll(line, "4x2", "99999999999x2"))
	f.Add([]byte("--x\r\nContent-length: 100663297\r\n\r\n"), strings.ReplaceAll(line, "4x2", "-4x-2"))
	f.Fuzz(func(t *testing.T, out []byte, text string) {
		infos := make(chan info, 64)
		for l := range strings.Lines(text) {
			if i, ok := parseInfo([]byte(l)); ok && len(infos) < cap(infos) {
				if i.at < 0 {
					t.Fatalf("a position of %s", i.at)
				}
				infos <- i
			}
		}
		close(infos)
		r := bufio.NewReader(bytes.NewReader(out))
		for {
			fr, err := readFrame(r, infos, func(n int) []byte {
				if n > 64<<20 {
					t.Skip("a true frame of more than the fuzzer's memory")
				}
				return make([]byte, n)
			})
			if err != nil {
				return
			}
			if fr.w < 2 || fr.h < 2 || len(fr.pix) != fr.w*fr.h*3/2 || len(fr.pix) > len(out) {
				t.Fatalf("a frame of %d×%d with %d bytes out of %d", fr.w, fr.h, len(fr.pix), len(out))
			}
		}
	})
}
