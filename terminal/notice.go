package terminal

import (
	"fmt"
	"slices"
)

// Notice is what people are told before their face is looked at: who is responsible, what
// for, how long what is kept, what they may ask for, and how else they come in
// (GDPR 13, PIPL 17, BIPA 15(b); in China the measures of 2025 on face recognition).
type Notice struct {
	Law                 string // one of Laws
	Controller, Contact string // Contact may be ""
	// How long what is kept, in days; RingMinutes is how long pictures are in memory.
	PassageDays, MetadataDays, RecordDays int
	KeepsStrangers                        bool
	StrangerDays                          int
	StrangersPurpose                      string
	RingMinutes                           int
}

// Section is one heading of a notice and what stands below.
type Section struct {
	Heading string
	Lines   []string
}

// law is what one law adds: the ground that faces are recognized on, and to whom people
// may complain; in English and Chinese.
type law struct{ ground, complaint [2]string }

// laws are the profiles that a site chooses from; "" adds nothing.
var laws = map[string]law{
	"": {},
	"eu": {
		ground:    [2]string{"Faces are recognized on your explicit consent only (GDPR, Article 9(2)(a)).", "仅在您明确同意的情况下识别人脸（欧盟《通用数据保护条例》第9条第2款(a)项）。"},
		complaint: [2]string{"You may complain to a data protection authority (GDPR, Article 77).", "您可以向数据保护监管机构投诉（《通用数据保护条例》第77条）。"},
	},
	"fr": {
		ground:    [2]string{"Faces are recognized on your explicit consent only (GDPR, Article 9(2)(a)), and working time is not counted by them.", "仅在您明确同意的情况下识别人脸（欧盟《通用数据保护条例》第9条第2款(a)项），且不以人脸统计工时。"},
		complaint: [2]string{"You may complain to the CNIL (www.cnil.fr).", "您可以向法国国家信息与自由委员会（CNIL，www.cnil.fr）投诉。"},
	},
	"cn": {
		ground:    [2]string{"Faces are recognized on your separate consent only (PIPL, Article 29), and for this gate only.", "仅在取得您单独同意后处理人脸信息（《个人信息保护法》第二十九条），且仅用于本门禁。"},
		complaint: [2]string{"You may complain to the authorities that protect personal information (PIPL, Article 65).", "您可以向履行个人信息保护职责的部门投诉、举报（《个人信息保护法》第六十五条）。"},
	},
	"us-il": {
		ground:    [2]string{"Faces are recognized only with your written release (740 ILCS 14/15). Nothing made from them is sold, leased or traded.", "仅在您书面授权后识别人脸（伊利诺伊州 740 ILCS 14/15）。由人脸生成的数据不出售、不出租、不交易。"},
		complaint: [2]string{"What was made from your face is destroyed when its purpose ends, and at the latest three years after your last visit.", "由您的人脸生成的数据在目的达成后销毁，最迟不超过您最后一次到访后三年。"},
	},
}

// Laws lists the profiles.
func Laws() (all []string) {
	for name := range laws {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Sections is the notice in a language, en or zh.
func (n Notice) Sections(lang string) []Section {
	i := 0
	if lang == "zh" {
		i = 1
	}
	of := laws[n.Law]
	say := func(en, zh string, args ...any) string { return fmt.Sprintf([2]string{en, zh}[i], args...) }
	var out []Section
	add := func(heading string, lines ...string) {
		out = append(out, Section{heading, slices.DeleteFunc(lines, func(s string) bool { return s == "" })})
	}

	contact := ""
	if n.Contact != "" {
		contact = say("Questions and requests: %s", "咨询与请求：%s", n.Contact)
	}
	add(say("Who is responsible", "个人信息处理者"), say("%s", "%s", n.Controller), contact)
	add(say("What for", "用途"),
		say("To let in who may pass here, and to know who passed and when. Age, sex, origin and mood are not looked at.", "用于放行有权通过的人员，并记录通行人员和时间。不分析年龄、性别、族裔或情绪。"), of.ground[i])
	add(say("A face is never the only way in", "人脸绝不是唯一的通行方式"),
		say("A card, PIN or QR code opens this gate too, without any disadvantage. Ask the reception for one.", "卡片、密码或二维码同样可以开门，不会因此受到任何不利影响。请向前台申请。"))
	strangers := say("If you are not enrolled here, your face is compared and forgotten within seconds. Pictures stay in memory for at most %d minutes and are not stored.", "如果您未在此登记，您的人脸在比对后数秒内即被删除。画面最多在内存中保留 %d 分钟，不会保存到磁盘。", n.RingMinutes)
	if n.KeepsStrangers {
		strangers = say("If you are not enrolled here, your face is compared and forgotten within seconds. A picture of you may be kept, sealed, for at most %d days: %s.", "如果您未在此登记，您的人脸在比对后数秒内即被删除。您的一张图片可能会被封存，最多 %d 天，用途：%s。", n.StrangerDays, n.StrangersPurpose)
	}
	add(say("How long", "保存期限"),
		say("Pictures of a passage: %d days. When somebody passed, under a number: %d days. The record of somebody who has left: %d days.", "通行图片：%d 天。以编号记录的通行时间：%d 天。离开者的档案：%d 天。", n.PassageDays, n.MetadataDays, n.RecordDays), strangers)
	add(say("What you may ask for", "您的权利"),
		say("You may see, correct, take with you and have erased what is kept about you, learn who looked at it, and withdraw your consent at any time.", "您可以查阅、更正、转移和删除与您有关的信息，了解谁查看过这些信息，并可随时撤回同意。"), of.complaint[i])
	return out
}
