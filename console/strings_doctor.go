package console

import (
	"fmt"
	"strings"
)

// What the doctor says is written in English where it looks (server/doctor); here it is in
// Chinese, by its format. A key that ends with a space stands for whatever begins with it.
// A test there fails on a text that is not here.
var doctorTexts = map[string]string{
	// names
	"space": "空间", "writable": "可写", "gate key": "门禁密钥", "swap": "交换分区", "encryption": "磁盘加密", "file": "文件", "time zone": "时区", "backups": "备份", "witnesses": "见证者", "alarms": "告警",
	"site": "站点", "server": "服务器", "cameras": "摄像机", "camera ": "摄像机 ", "listeners": "监听端口", "listener ": "监听 ", "certificate": "证书", "vault": "保险库", "slots": "开启方式", "shares": "密钥份额",
	"rotation": "密钥轮换", "backup age": "备份时间", "backup check": "备份核验", "witness": "见证者", "unfinished": "未完成操作", "audit log": "审计日志", "retention": "保存期限", "open files": "打开文件数",
	"core dumps": "内存转储", "vault process": "保险库进程", "vault memory": "保险库内存", "configuration": "配置", "data": "数据目录", "data files": "数据文件", "TLS key": "TLS 密钥", "vault identity": "保险库身份文件",
	"clock": "时钟", "synchronized": "时间同步", "gatehouse": "程序版本", "schema": "数据库结构", "models": "模型", "kernel": "内核", "ffmpeg": "ffmpeg",
	"seller": "收据出具方", "tariffs": "收费标准", "ways to pay": "支付方式", "exits": "待核对的出场", "books": "账簿", "rules of hours": "工时规则", "shifts": "班次", "holidays": "节假日",
	// formats
	"receipts name %s": "收据上%s", "stays that were paid too much for: %d; messages about payments that are not known: %d": "多付的停车记录：%d；无法对应付款的消息：%d", "every tariff that a car park names is there": "停车场引用的收费标准均存在",
	"a tariff is not there: %s": "缺少收费标准：%s", "exits that wait for a person: %d": "待人工核对的出场：%d", "payments are taken at the desk only": "仅在服务台收款", "Stripe's secret %s is not set: drivers cannot pay": "未设置 Stripe 机密 %s：驾驶人无法缴费", "Stripe's secrets are set": "已设置 Stripe 机密",
	"the rules of hours %s": "工时规则%s", "shifts: %d, lines of the roster: %d": "班次：%d，排班：%d 行", "public holidays of this year %s": "本年度的节假日%s",
	"%s": "%s", "%v": "%v", "%s: %s": "%s：%s", "%s %s": "%s %s", "it %s": "该摄像机%s", "the site %s": "站点%s", "the gate key %s": "门禁密钥%s", "%s is %s": "%s 的权限为 %s", "%s is valid": "%s 有效",
	"there is no camera whose pictures are read": "没有需要读取画面的摄像机", "its source came to its end": "画面来源已结束", "it is %s, with %d reconnections": "状态为%s，已重连 %d 次",
	"%.1f frames/s, looked at %s late, %d dropped": "%.1f 帧/秒，处理延迟 %s，丢帧 %d", "%.1f frames/s, looked at within %s": "%.1f 帧/秒，处理用时 %s",
	"gatehouse.yml names no source; sealed addresses are known to a running server only": "gatehouse.yml 未指定来源；加密保存的地址仅运行中的服务器可知",
	"the data directory is not there yet":                                                "数据目录尚不存在",
	"%.1f GiB are free, %.1f MiB are used":                                               "可用 %.1f GiB，已用 %.1f MiB",
	"%.1f GiB are free, %.1f MiB are used; at the growth so far it is full in %.0f days": "可用 %.1f GiB，已用 %.1f MiB；按目前增长 %.0f 天后写满",
	"the data directory's file system is %s":                                             "数据目录所在文件系统%s", "it is no file on a disk": "密钥不是磁盘上的文件", "where it lies cannot be told": "无法判断密钥位置",
	"the gate key lies on %s disk as the data": "门禁密钥与数据位于%s磁盘", "the kernel does not say": "内核未提供", "nothing is swapped to a disk": "没有交换到磁盘", "%s is in use, and the vault's memory is locked": "%s 正在使用，保险库内存已锁定",
	"%s is in use": "%s 正在使用", "the disk is encrypted (dm-crypt)": "磁盘已加密（dm-crypt）", "whether the disk is encrypted cannot be told; what is stored is sealed either way": "无法判断磁盘是否加密；存储内容均已加密封存",
	"there is no configuration at %s: the defaults hold": "%s 处没有配置文件：使用默认值", "schedules are in %s": "时段使用时区 %s", "backups are %s": "备份%s", "%d witnesses are configured": "已配置 %d 个见证者",
	"alarms go %s": "告警%s", "no server runs: what only it knows is left out": "没有运行中的服务器：略去仅其可知的内容", "it runs since %s": "自 %s 起运行", "no server runs": "没有运行中的服务器",
	"what the server listens at cannot be seen: run it as the user that runs the server": "无法查看监听端口：请以运行服务器的用户执行", "this machine alone reaches it": "仅本机可访问",
	"other machines reach it in clear, and are sent on to TLS": "其他机器可明文访问，并被转到 TLS", "other machines reach it over TLS": "其他机器通过 TLS 访问", "other machines reach it in clear": "其他机器可明文访问",
	"there is no TLS, and nothing that needs it": "未启用 TLS，也不需要", "the TLS certificate cannot be read": "无法读取 TLS 证书", "no TLS certificate is shown": "未提供 TLS 证书", "the TLS certificate ended on %s": "TLS 证书已于 %s 到期",
	"the TLS certificate ends in %d days": "TLS 证书将在 %d 天后到期", "the TLS certificate is good for %d days": "TLS 证书剩余 %d 天",
	"a canary was opened, and the vault is shut": "诱饵被打开，保险库已锁闭", "the vault process does not answer": "保险库进程没有响应", "the vault's machine does not answer; %d chains wait for it": "保险库主机没有响应；%d 条链等待送达",
	"the vault process answers; it is %s": "保险库进程正常，当前%s", "the vault's keys are on another machine": "保险库密钥在另一台机器上", "ways that open the vault key: %d": "可开启保险库密钥的方式：%d",
	"shares for the recovery of the vault key were %s": "保险库密钥的恢复份额%s", "older vault keys that still have rows: %d": "仍有数据的旧保险库密钥：%d", "%d of %d witnesses took the log lately": "%d / %d 个见证者近期收到日志",
	"enrolments, erasures and rotations that are not finished: %d": "未完成的登记、永久删除和轮换：%d", "entries that wait to get into the audit log: %d": "等待进入审计日志的条目：%d", "retention %s": "保存期限任务%s",
	"there are no backups": "没有备份", "the backups' target cannot be read": "无法读取备份目标", "no backup was made yet": "尚未备份", "the newest backup is %s old": "最近一次备份距今 %s", "backups were %s": "备份%s",
	"the server's limits cannot be read: run it as the user that runs the server": "无法读取服务器限制：请以运行服务器的用户执行", "the server may open %d files": "服务器可打开 %d 个文件", "core dumps of the server are %s": "服务器内存转储%s",
	"it is on another machine": "位于另一台机器", "the vault process cannot be looked at": "无法检查保险库进程", "the vault process %s": "保险库进程%s", "what is locked of the vault's memory: %s": "保险库内存锁定范围：%s",
	"it is no plain file, but with %s": "密钥不是普通文件，由 %s 保管", "others can enter the data directory: it is %s": "他人可进入数据目录，其权限为 %s", "only its owner enters the data directory": "仅所有者可进入数据目录",
	"not all of the data directory can be read: run it as the user that runs the server": "数据目录无法全部读取：请以运行服务器的用户执行", "others can read or change %s": "他人可读取或更改 %s",
	"%s belongs to another user than the data directory": "%s 的所有者与数据目录不同", "%d files and folders are their owner's alone": "%d 个文件和文件夹仅其所有者可访问", "%s is not there or cannot be looked at": "%s 不存在或无法查看",
	"nothing was committed yet that it could be compared with": "尚无可供比较的提交", "the clock says %s, and %s was written at %s": "时钟为 %s，而 %s 写于 %s", "the newest commit is %s old": "最近一次提交距今 %s",
	"the kernel says that the clock is %s": "内核称时钟%s", "the site's time zone is %s": "站点时区为 %s", "%s, built with %s for %s/%s": "%s，使用 %s 为 %s/%s 构建", "the running server is %s": "运行中的服务器版本为 %s",
	"the running server opened every database, and brings each to its own schema": "运行中的服务器已打开所有数据库并升级其结构", "%d models have the hashes of the registry": "%d 个模型与登记的哈希一致", "the model %s is missing or is another file": "模型 %s 缺失或不是原文件",
	// parts of them
	"who they are from": "注明了出具方地址", "no address of who they are from": "没有出具方地址", "are set": "已设置", "are not set: nothing is rounded, and there is no overtime": "未设置：不取整，也不计加班", "are known": "已录入", "are not known": "未录入",
	"ok": "正常", "silent": "无画面", "stalled": "停滞", "down": "离线", "gave a picture after ": "给出画面，用时 ", "gave no picture (": "没有给出画面（", "read-only": "只读", "another": "不同", "the same": "同一", "made every ": "每 ", "not made by themselves": "未自动进行",
	"to whom gatehouse.yml names": "发送给 gatehouse.yml 指定的对象", "to the log only": "仅写入日志", "has its keys": "已有密钥", "has no keys yet": "尚无密钥", "is where gatehouse.yml says": "位于 gatehouse.yml 指定之处",
	"is not where gatehouse.yml says": "不在 gatehouse.yml 指定之处", "unsealed": "已解封", "sealed": "已封存", "made": "已生成", "never made, as far as the log's newest entries say": "据日志最近条目从未生成", "ran last at ": "上次执行于 ", "did not run since the start": "启动以来未执行",
	"not checked since the start": "启动以来未核验", "checked at ": "核验于 ", "off": "已关闭", "on: one would hold the gate key": "已开启：转储会包含门禁密钥", "makes no core dumps and cannot be debugged by its own user": "不产生转储，也不能被同一用户调试", "could be dumped or debugged": "可能被转储或调试",
	"all": "全部", "the keys' page": "密钥所在页", "nothing (its keys' page is locked while it is unsealed)": "无（解封期间锁定密钥所在页）", "the last passage": "最近一次通行", "set by a time server": "由时间服务器校准", "set by nothing": "未校准", "ffmpeg is not here": "未安装 ffmpeg", "UTC": "UTC",
	// what to do
	"set paying.seller.address: a receipt without one is refused by many tax offices": "设置 paying.seller.address：许多税务机关不接受没有地址的收据", "see the page of the books, or `gatehouse books report`: refund what was paid twice, and compare with the provider": "查看账簿页面或运行 gatehouse books report：退还重复支付的款项，并与支付服务商核对",
	"put it into force with `gatehouse tariff put FILE`: until then nothing is charged": "用 gatehouse tariff put FILE 使其生效，在此之前不收费", "attach them on the page of exits, or with `gatehouse parking attach`": "在待核对的出场页面匹配，或运行 gatehouse parking attach", "run `gatehouse secret set` with that name (docs/parking.md)": "用该名称运行 gatehouse secret set（docs/parking.md）",
	"run `gatehouse attendance rules --preset`, or choose a law on the page of shifts": "运行 gatehouse attendance rules --preset，或在班次页面选择法律要求", "make shifts and a roster: who is late or absent is known against a plan only (docs/attendance.md)": "建立班次和排班：只有对照计划才能判断迟到和缺勤（docs/attendance.md）", "run `gatehouse attendance holidays`, with the years that come": "运行 gatehouse attendance holidays 并给出今后的年份",
	"set loop, if it is a file that stands for a camera": "若以文件代替摄像机，请设置 loop", "check its address, power and network": "检查其地址、电源和网络", "give vision.threads more cores, or lower fps": "增加 vision.threads 或降低 fps",
	"make room, or shorten `retention`; a gate whose passages cannot be recorded follows its `fail` policy": "清理空间或缩短 retention；无法记录通行时按各门的 fail 策略处理", "mount it for writing; a damaged disk is often made read-only by the kernel: see dmesg": "以可写方式挂载；磁盘损坏时内核常改为只读，见 dmesg",
	"put it on other media, or into a token, TPM or systemd credential (docs/keys.md)": "放到其他介质，或存入令牌、TPM 或 systemd 凭证（docs/keys.md）", "switch it off or encrypt it, and set LimitMEMLOCK=infinity: the server's memory holds the gate key and templates": "关闭或加密交换分区，并设置 LimitMEMLOCK=infinity：服务器内存含门禁密钥和模板",
	"copy gatehouse.yml from the project and change it, or name another with --config": "复制项目中的 gatehouse.yml 并修改，或用 --config 指定", "set site.time_zone": "设置 site.time_zone", "set backup.data, backup.keys and backup.every (docs/backup.md)": "设置 backup.data、backup.keys 和 backup.every（docs/backup.md）",
	"name a witness in audit.witness: that the log was rolled back as a whole is known to witnesses only": "在 audit.witness 指定见证者：只有见证者能发现日志整体回退", "set alarms.webhook or alarms.mail, and try `gatehouse alarm test`": "设置 alarms.webhook 或 alarms.mail，并运行 gatehouse alarm test",
	"run `gatehouse init`, or `gatehouse serve`": "运行 gatehouse init 或 gatehouse serve", "see the server's log": "查看服务器日志", "stop the server, and report this: it refuses such a configuration": "停止服务器并报告：程序本应拒绝此配置",
	"check tls.certificate in gatehouse.yml: a PEM file": "检查 gatehouse.yml 中的 tls.certificate：应为 PEM 文件", "see the server's log: an ACME authority must reach this server": "查看服务器日志：ACME 机构须能访问本服务器", "renew it; with tls.certificates acme or local it renews itself: see the server's log": "请续期；acme 或 local 方式会自动续期，见服务器日志",
	"plug in the token or medium that holds it": "插入存有密钥的令牌或介质", "see `gatehouse canary`: two people lift it": "见 gatehouse canary：须由两人解除", "check the vault's machine and the network": "检查保险库主机和网络", "run `gatehouse keys add-slot`: whoever alone knows the passphrase can lose everything": "运行 gatehouse keys add-slot：只有一人知道口令时可能全部丢失",
	"run `gatehouse keys split` and give the shares to several people": "运行 gatehouse keys split 并将份额交给多人", "if none is under way, finish it with `gatehouse keys rotate vault`": "若无进行中的轮换，请用 gatehouse keys rotate vault 完成", "see the server's log, and the witness's medium or machine": "查看服务器日志和见证者的介质或主机",
	"wait, and start the server again if it stays: it finishes what was interrupted": "请等待；若持续，请重启服务器以完成中断的操作", "see the server's log: the vault process takes the entries": "查看服务器日志：条目由保险库进程接收", "see the server's log; it needs the vault process": "查看服务器日志；该任务需要保险库进程", "set backup.data and backup.keys (docs/backup.md)": "设置 backup.data 和 backup.keys（docs/backup.md）",
	"check the target and its secret": "检查备份目标及其机密", "run `gatehouse backup now`, or see the server's log": "运行 gatehouse backup now，或查看服务器日志", "run `gatehouse backup verify`": "运行 gatehouse backup verify", "set LimitNOFILE=65536 in the systemd unit": "在 systemd 单元中设置 LimitNOFILE=65536",
	"start it with the gatehouse program itself, which switches them off": "直接用 gatehouse 程序启动，它会关闭转储", "set LimitMEMLOCK=infinity in the systemd unit": "在 systemd 单元中设置 LimitMEMLOCK=infinity", "chmod go-w ": "运行 chmod go-w ", "chmod 0700 ": "运行 chmod 0700 ", "chmod -R go-rwx ": "运行 chmod -R go-rwx ", "chmod 0600 ": "运行 chmod 0600 ",
	"chown it to the user that runs the server": "将所有者改为运行服务器的用户", "check the path in gatehouse.yml, and run it as the user that runs the server": "检查 gatehouse.yml 中的路径，并以运行服务器的用户执行", "set the clock; passages get times that are over already, and retention counts wrongly": "校准时钟；否则通行时间和保存期限会出错",
	"run systemd-timesyncd, chrony or another NTP client; signatures of devices count within a minute": "运行 systemd-timesyncd、chrony 等 NTP 客户端；设备签名须在一分钟之内", "install tzdata": "安装 tzdata", "start the server again": "重新启动服务器", "run `make assets`, or set vision.assets": "运行 make assets，或设置 vision.assets",
	"install ffmpeg: camera streams and video files are read through it": "安装 ffmpeg：摄像机和视频文件经由它读取",
}

// DoctorKnows reports whether a text of the doctor's has a translation.
func DoctorKnows(text string) bool {
	_, ok := translated(text)
	return ok
}

// translated is a text of the doctor's in Chinese: by itself, or by what it begins with.
func translated(text string) (string, bool) {
	if s, ok := doctorTexts[text]; ok {
		return s, true
	}
	for key, s := range doctorTexts {
		if (strings.HasSuffix(key, " ") || strings.HasSuffix(key, "(")) && strings.HasPrefix(text, key) {
			return s + text[len(key):], true
		}
	}
	return text, false
}

// Name, Said and Todo are the finding in a language.
func (f Finding) said(lang string) (name, reason, do string) {
	if lang != "zh" || f.Format == "" {
		return f.Name, f.Reason, f.Do
	}
	name, _ = translated(f.Name)
	do, _ = translated(f.Do)
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		if args[i] = a; isText(a) {
			args[i], _ = translated(fmt.Sprint(a))
		}
	}
	format, ok := translated(f.Format)
	if !ok {
		return name, f.Reason, do
	}
	return name, fmt.Sprintf(format, args...), do
}

func isText(a any) bool { _, ok := a.(string); return ok }
