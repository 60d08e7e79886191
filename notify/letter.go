package notify

import (
	"bytes"
	"fmt"
	"html/template"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"time"

	"gatehouse"
)

// Letter is a mail in words: as plain text, and as HTML that asks nobody for anything. It
// holds opaque ids, dates and addresses of the console, never personal data: mail is read
// by many on its way.
type Letter struct {
	ID      gatehouse.ID // names the mail: a second copy is recognized as one
	Lang    string       // en or zh
	Subject string
	Said    []string    // paragraphs
	Facts   [][2]string // name, value
	Link    string      // "" for none
}

// words are the letters' texts: English, Simplified Chinese.
var words = map[string][2]string{
	"when": {"When", "时间"}, "site": {"Site", "站点"}, "alarm": {"Alarm", "告警"}, "until": {"Until", "有效至"}, "request": {"Request", "请求编号"}, "due": {"Answer by", "答复期限"}, "answered": {"Answered", "答复日期"},
	"alarm.subject":    {"Gatehouse alarm: %s at %s", "Gatehouse 告警：%s（%s）"},
	"invite.subject":   {"An account for you at %s", "您在 %s 的账户"},
	"invite.said":      {"An administrator made an account for you. The link works once; use it on the device that you work with, and add a passkey there.", "系统管理员为您创建了账户。以下链接仅可使用一次；请在工作设备上打开并添加通行密钥。"},
	"invite.unasked":   {"If you did not expect this, tell the administrator and leave the link alone.", "如非您本人预期，请告知系统管理员，勿使用此链接。"},
	"received.subject": {"Your request about your data at %s", "您就 %s 所持数据提出的请求"},
	"received.said":    {"Your request has arrived. You will be answered by the date below, free of charge. This mail says nothing of what it is about, since mail is read by many on its way.", "您的请求已收到，我们将在以下日期前免费答复。邮件可能被他人看到，因此不包含请求内容。"},
	"answered.subject": {"Your request about your data at %s was answered", "您就 %s 所持数据提出的请求已答复"},
	"answered.said":    {"Your request was answered. The answer itself is given to you in person or by the way that you chose, never by mail in clear.", "您的请求已答复。答复内容将当面或以您选择的方式告知，不会以明文邮件发送。"},
	"answered.appeal":  {"If you do not agree, you may turn to the supervisory authority.", "如有异议，您可向监管机构投诉。"},
	"canary":           {"canary", "诱饵被触发"}, "budget": {"budget", "额度超限"}, "altered": {"altered", "查阅控制数据被更改"}, "operator": {"operator", "操作员变更"}, "test": {"test", "测试"}, "gate": {"gate", "出入口故障"},
	"alarm.canary":   {"", "有人打开了诱饵或出示了诱饵令牌。保险库已锁闭，须由两人解除。"},
	"alarm.budget":   {"", "有人申请的查阅超出额度，已被拒绝。"},
	"alarm.altered":  {"", "保险库的查阅控制数据在保险库之外被更改或丢失。"},
	"alarm.operator": {"", "保险库增加或移除了操作员。新操作员一天后才能参与批准。"},
	"alarm.test":     {"", "这是一条测试告警。"},
	"alarm.gate":     {"", "某个出入口收到开启指令但无法连接。"},
}

func say(lang, key string) string {
	if lang == "zh" {
		return words[key][1]
	}
	return words[key][0]
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func day(t time.Time) string { return t.Format(time.DateOnly) }

func named(place gatehouse.Place) string { return string(place.Org) + "/" + string(place.Site) }

// AlarmLetter tells people of an alarm.
func AlarmLetter(a gatehouse.Alarm, place gatehouse.Place, lang string) Letter {
	kind, said := string(a.Kind), a.Sentence()
	if translated := say(lang, kind); translated != "" {
		kind = translated
	}
	l := Letter{ID: a.ID, Lang: lang, Subject: fmt.Sprintf(say(lang, "alarm.subject"), kind, named(place)), Said: []string{said}}
	if lang == "zh" {
		l.Said = []string{say(lang, "alarm."+string(a.Kind)), said} // whose session and which gate stands in the second
	}
	l.Facts = [][2]string{{say(lang, "when"), stamp(a.At)}, {say(lang, "site"), named(place)}, {say(lang, "alarm"), a.ID.String()}}
	return l
}

// InvitationLetter carries an invitation's link, which works once.
func InvitationLetter(id gatehouse.ID, place gatehouse.Place, lang, link string, until time.Time) Letter {
	return Letter{ID: id, Lang: lang, Subject: fmt.Sprintf(say(lang, "invite.subject"), named(place)), Said: []string{say(lang, "invite.said"), say(lang, "invite.unasked")},
		Facts: [][2]string{{say(lang, "until"), stamp(until)}}, Link: link}
}

// ReceivedLetter tells somebody that their request is there, and by when it is answered.
func ReceivedLetter(r gatehouse.Request, lang string) Letter {
	return Letter{ID: r.ID, Lang: lang, Subject: fmt.Sprintf(say(lang, "received.subject"), named(r.Place)), Said: []string{say(lang, "received.said")},
		Facts: [][2]string{{say(lang, "request"), r.ID.String()}, {say(lang, "due"), day(r.Due)}}}
}

// AnsweredLetter tells somebody that their request was answered, and not how.
func AnsweredLetter(id gatehouse.ID, r gatehouse.Request, lang string) Letter {
	return Letter{ID: id, Lang: lang, Subject: fmt.Sprintf(say(lang, "answered.subject"), named(r.Place)), Said: []string{say(lang, "answered.said"), say(lang, "answered.appeal")},
		Facts: [][2]string{{say(lang, "request"), r.ID.String()}, {say(lang, "answered"), day(r.Done)}}}
}

// Text is the letter in plain text.
func (l Letter) Text() string {
	var b strings.Builder
	b.WriteString(strings.Join(l.Said, "\r\n\r\n") + "\r\n\r\n")
	if l.Link != "" {
		b.WriteString(l.Link + "\r\n\r\n")
	}
	for _, f := range l.Facts {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	return b.String()
}

var sheet = template.Must(template.New("").Parse(`<!doctype html><html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Subject}}</title></head><body>
{{range .Said}}<p>{{.}}</p>
{{end}}{{if .Link}}<p><a href="{{.Link}}">{{.Link}}</a></p>
{{end}}<table>{{range .Facts}}<tr><th align="left">{{index . 0}}</th><td>{{index . 1}}</td></tr>{{end}}</table></body></html>
`))

// HTML is the letter as a page without pictures, scripts and styles.
func (l Letter) HTML() (string, error) {
	var b bytes.Buffer
	err := sheet.Execute(&b, l)
	return b.String(), err
}

// body is both, as multipart/alternative (RFC 2046, section 5.1.4), and its content type.
func (l Letter) body() (text []byte, kind string, err error) {
	page, err := l.HTML()
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	for _, part := range []struct{ kind, text string }{{"text/plain", l.Text()}, {"text/html", page}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {part.kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			return nil, "", err
		}
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write([]byte(part.text)); err != nil {
			return nil, "", err
		}
		if err := q.Close(); err != nil {
			return nil, "", err
		}
	}
	err = parts.Close() // which writes the end
	return b.Bytes(), "multipart/alternative; boundary=" + parts.Boundary(), err
}
