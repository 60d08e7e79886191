package stream

import (
	"net/url"
	"strconv"
	"strings"

	"gatehouse"
)

// input is what ffmpeg is told to read, and how far it may reach. Which protocols
// and demuxers it may use is a closed list for each kind of input, because a
// playlist, a script or a session description inside what it reads may name other
// files and hosts: a file must not open the network, nor other files; a camera
// must not open files.
type input struct {
	live      bool
	path      string   // of a file
	url       string   // of a camera
	protocols string   // ffmpeg's -protocol_whitelist
	formats   string   // ffmpeg's -format_whitelist
	options   []string // of a camera's demuxer, "name value"
}

// Demuxers that read one file and refer to no other. mov refuses references
// outside the file unless told otherwise (enable_drefs).
const containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,m4v,mjpeg,mxf,yuv4mpegpipe,ivf"

// parse tells a camera's address from a file's path. Errors: source.unsupported.
func parse(raw string) (input, error) {
	scheme, _, isURL := strings.Cut(raw, "://")
	if !isURL {
		if raw == "" || strings.ContainsRune(raw, 0) {
			return input{}, gatehouse.Errorf("source.unsupported", "give a video file, a folder of pictures or a camera's address", "this is no source")
		}
		return input{path: raw, protocols: "file", formats: containers}, nil
	}
	u, err := url.Parse(raw)
	if err != nil || hasControl(raw) {
		return input{}, gatehouse.Errorf("source.unsupported", "write special characters of a password as %XX", "this camera address cannot be read")
	}
	if u.Host == "" && scheme != "file" {
		return input{}, gatehouse.Errorf("source.unsupported", "write it as rtsp://host/path", "this camera address names no host")
	}
	// The script that names the address comes over a pipe (see script).
	in := input{live: true, url: raw}
	switch strings.ToLower(scheme) {
	case "file":
		if u.Host != "" {
			return input{}, gatehouse.Errorf("source.unsupported", "write it as file:///path", "this file address names a host")
		}
		return input{path: u.Path, protocols: "file", formats: containers}, nil
	case "rtsp":
		in.protocols, in.formats = "pipe,rtp,tcp", "concat,rtsp"
		in.options = []string{"rtsp_transport tcp", "timeout 5000000"}
	case "rtsps":
		in.protocols, in.formats = "pipe,rtp,tcp,tls", "concat,rtsp"
		in.options = []string{"rtsp_transport tcp", "timeout 5000000"}
	case "http":
		in.protocols, in.formats = "pipe,http,tcp", "concat,hls,mpjpeg,jpeg_pipe,"+containers
		in.options = []string{"rw_timeout 5000000"}
	case "https":
		in.protocols, in.formats = "pipe,https,tls,tcp,crypto", "concat,hls,mpjpeg,jpeg_pipe,"+containers
		in.options = []string{"rw_timeout 5000000"}
	default:
		return input{}, gatehouse.Errorf("source.unsupported", "use rtsp, rtsps, http or https, a file or a folder", "cameras are not read over this scheme")
	}
	return in, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// script is the concat script (ffmpeg's "ffconcat") that names a camera, nil for a
// file. ffmpeg reads it from an inherited pipe, so that the address and its
// password stand neither in the process list nor in the environment.
func (in input) script() []byte {
	if !in.live {
		return nil
	}
	var b strings.Builder
	b.WriteString("ffconcat version 1.0\nfile '" + strings.ReplaceAll(in.url, "'", `'\''`) + "'\n")
	// Guessing the frame rate would hold the first picture of a 5 frames/s camera
	// back for 4 s; nothing here depends on it.
	b.WriteString("option fpsprobesize 0\n")
	for _, o := range in.options {
		b.WriteString("option " + o + "\n")
	}
	return []byte(b.String())
}

// maxPixels bounds a frame before it is decoded: 64 megapixels.
const maxPixels = 64 << 20

// args are ffmpeg's arguments. Its output is raw frames in a multipart stream
// (each with its length), and the size and time of each frame on stderr
// (showinfo). Y4M would be simpler, but it names one size at its start, and
// ffmpeg silently stretches what comes after a change of size to that.
func (in input) args(s Spec) []string {
	a := []string{
		"-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+info",
		"-protocol_whitelist", in.protocols, "-format_whitelist", in.formats,
		"-max_pixels", strconv.Itoa(maxPixels),
	}
	if in.live {
		// One thread decodes a camera with the least delay and CPU; its clock is not
		// believed.
		a = append(a, "-threads", "1", "-use_wallclock_as_timestamps", "1", "-fpsprobesize", "0", "-f", "concat", "-safe", "0", "-i", "pipe:3")
	} else {
		a = append(a, "-threads", "2", "-i", "file:"+in.path)
	}
	return append(a,
		"-map", "0:v:0", "-an", "-sn", "-dn", "-map_metadata", "-1",
		"-autoscale", "0", "-filter_threads", "1", "-vf", filter(s, in.live), "-fps_mode", "passthrough",
		"-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-f", "mpjpeg", "-flush_packets", "1", "pipe:1")
}

// filter takes frames out to the wanted rate, makes them even-sized 4:2:0 in
// studio range, and says of each how large it is and when.
//
// ffmpeg's fps filter repeats frames of a slower source, which would count one
// look at a plate twice; this select never repeats. A frame is due a period after
// the last was due (of a camera, a quarter early counts, so that a jittering one keeps its
// rate); due follows a slow source, and a clock that jumps back begins again.
func filter(s Spec, live bool) string {
	period := 1 / s.FPS
	early := period / 50 // containers round times
	if live {
		early = period / 4
	}
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
	back := "lt(t,ld(0)-" + f(4*period) + ")"
	due := "gte(t,ld(0)-" + f(early) + ")"
	next := "if(" + back + ",t+" + f(period) + ",max(ld(0)+" + f(period) + ",t+" + f(period/2) + "))"
	sel := "if(" + back + "+" + due + ",0*st(0," + next + ")+1,0)"
	w, h := "trunc(iw/2)*2", "trunc(ih/2)*2"
	if s.MaxWidth > 0 {
		w = "min(" + strconv.Itoa(s.MaxWidth) + ",trunc(iw/2)*2)"
		h = "max(2,2*round(ih*min(1," + strconv.Itoa(s.MaxWidth) + "/iw)/2))"
	}
	return "select='" + sel + "',scale=w='" + w + "':h='" + h + "':out_range=tv:flags=bilinear,format=yuv420p,showinfo=checksum=0"
}
