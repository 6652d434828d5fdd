"""The words that ask nothing, and those that only sound like a question: data of `rules`.

What each question is asked by stands beside the question itself (`@question(…, words=…)`).
"""

FILLERS = """
你好 您好 哈喽 在吗 在不在 请问 请 麻烦 亲 喂 我 我的 俺的 本人 的 你 您 你们 给 给我 帮 帮我 为我 让我 想 想要
要 想问 问 问下 问问 想知道 知道 告诉我 说下 查 查查 查询 查看 查下 看 看看 看下 瞧瞧 一下 一查 一看 有 有没有
有多少 还有 还剩 还剩下 剩 剩下 剩余 共 总共 一共 总 多少 几个 是 是多少 是什么 什么 怎么 怎样 如何 哪里 在哪
现在 目前 当前 今天 这 这个 个 里 里面 上 账户 账号 吗 嘛 呢 呀 啊 哈 吧 了 哦 噢 呗 能 能不能 可以 可不可以
嘅 几多 有几多 仲有 仲有几多 睇 睇下 睇睇 唔该 系 啦 喇
到底 和 跟 与 还有多少 需要 可用 可用的 用户 转 找 说 回复 hi hello hey dear please pls plz can could would may
you tell show give check see view look up find get what whats is are am was my me mine i the a an of how many
much do does did have has got left still now currently current right for in on about and with to want need like
know remaining account so far ive im id wo de wode cha yixia qingwen duoshao
"""

NEGATIONS = """
冇 唔要 唔使 不 不要 不用 不想 不想要 不需要 无需 别 不必 没有 没 不是 no not dont without never
"""

FALSE_FRIENDS = """
等急 等几 等机 几份 鸡粉 面积分 体积分 tire tires tied tries pints paints prints joints heel heal held hell
"""
