"""The phone's words, Chinese first."""

WORDS = {
    "zh": {
        "title": "一部手机：扮演客户", "who": "我是谁", "nobody": "还没有人。用新名字扫一个码，就成了客户。",
        "new": "新名字", "scan": "扫一扫",
        "codes": "能扫的码", "no_codes": "还没有活码。先在控制台建一个，或者用接口建。",
        "as_me": "以她的身份扫", "as_new": "以新客户扫",
        "paste": "或者粘贴二维码的地址", "chat": "微信客服",
        "say": "发送", "placeholder": "问一句，例如：我的积分", "enter": "进入客服",
        "leave": "删除", "members": "加了的成员",
        "time": "过一会儿", "hour": "1 小时", "day": "1 天", "empty": "还没有消息。扫个码看看欢迎语，或者问问积分。",
        "welcome": "欢迎语", "mass": "群发", "kf": "微信客服", "group": "群消息", "moment": "朋友圈", "app": "应用",
        "open": "打开", "image": "图片", "video": "视频", "file": "文件", "miniprogram": "小程序", "other": "English",
        "no_kf": "还没有微信客服账号。",
    },
    "en": {
        "title": "A phone: play the customer", "who": "Who am I", "nobody": "Nobody yet. Scan a code under a new name.",
        "new": "New name", "scan": "Scan",
        "codes": "Codes there are", "no_codes": "No live code yet: make one in the console.",
        "as_me": "Scan as her", "as_new": "Scan as a new customer", "paste": "or paste a code's address",
        "chat": "微信客服",
        "say": "Send", "placeholder": "Ask something: my points", "enter": "Open the chat", "leave": "Delete",
        "members": "Members she added", "time": "Let time pass", "hour": "1 hour", "day": "1 day",
        "empty": "No message yet. Scan a code to be welcomed, or ask for your points.", "welcome": "welcome",
        "mass": "broadcast", "kf": "微信客服", "group": "group", "moment": "Moments", "app": "app", "open": "Open",
        "image": "picture", "video": "video", "file": "file", "miniprogram": "mini program", "other": "中文",
        "no_kf": "No 微信客服 account yet.",
    },
}  # fmt: skip
