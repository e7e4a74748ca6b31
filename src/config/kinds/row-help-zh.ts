/** The help of the fields of rows in Chinese, by the English text of the schema. */

const provider = {
  'The provider plugin, e.g. openai or openai-compatible.': '服务商插件，例如 openai 或 openai-compatible。',
  "The plugin's own options, e.g. base_url and api_key.": '插件自己的选项，例如 base_url 和 api_key。',
  'How a JSON Schema is enforced. json_schema: by the vendor; json_object: by the JSON mode of the vendor, with checks and repairs by Pailou; none: the same without the JSON mode of the vendor. Left out: as the catalogue or the kind of the provider knows it.':
    '如何保证输出符合 JSON Schema。json_schema：由厂商保证；json_object：使用厂商的 JSON 模式，由 Pailou 检查和修复；none：同上但不用厂商的 JSON 模式。不填：以模型目录或服务商类型为准。',
  'with_tools: the reasoning of a turn with tool calls is sent back to the model in the next request; never: it is left out. Default: by the catalogue or the model family.':
    'with_tools：带工具调用的轮次，其推理内容在下次请求中回传给模型；never：不回传。默认：以模型目录或模型系列为准。',
  'In which currency the vendor bills, where the catalogue has prices in several. Left out: the usual one.':
    '厂商计费的币种（模型目录有多种币种价格时）。不填：通常的币种。',
  "The vendor's own names of the models that others may use by a grant on provider/<name>; a trailing * matches any rest. Null for all.":
    '他人凭 provider/<name> 的授权可使用的上游模型名；末尾的 * 匹配其余部分。null 表示全部。',
};

const model = {
  'The other tenants that have it too, under the same name; * for all. Administrators set it. Nobody there may call it before an administrator there grants it by name.':
    '同样拥有它（同名）的其他租户；* 表示全部。由管理员设置。对方租户的管理员按名称授权之前，那里没有人能调用它。',
  'The name of a provider.': '服务商的名称。',
  "The vendor's own name of the model.": '厂商自己的模型名。',
  'Share of the traffic within its tier; 0 takes none.': '在同一优先级内的流量份额；0 表示不分配。',
  'Lower tiers are tried first; the next tier only when all of the one before failed.':
    '先尝试数字小的优先级；前一级全部失败后才用下一级。',
  "Which API of the vendor chats use, where it has both: chat_completions or responses. Left out: as the catalogue and the provider's responses_models say.":
    '厂商两种接口都有时对话使用哪一种：chat_completions 或 responses。不填：以模型目录和服务商的 responses_models 为准。',
  'Beyond these, calls go to the next deployment. Counted on each node.': '超出后调用转到下一个部署。每个节点分别计数。',
  'Concurrent calls.': '并发调用数。',
  'The model only answers as a stream; Pailou buffers it for callers that do not stream.':
    '模型只支持流式响应；对不使用流式的调用方，Pailou 会缓冲后整体返回。',
  'The reasoning of this model is in its text, between <think> and </think>. "unopened": without <think>, because the template of the model ends the prompt with it. Default: the setting of the provider.':
    '该模型的推理内容在文本中，位于 <think> 与 </think> 之间。"unopened"：没有 <think>，因为模型模板已在提示词末尾写出它。默认：服务商的设置。',
  'The model reasons before it answers. false: reasoning_effort is left out. always: reasoning cannot be disabled. Default: by the catalogue or the model family.':
    '模型回答前会推理。false：不发送 reasoning_effort。always：推理不能关闭。默认：以模型目录或模型系列为准。',
  'The values of reasoning_effort that the vendor takes; the nearest one is sent. An empty list: thinking has no levels.':
    '厂商接受的 reasoning_effort 取值；发送最接近的一个。空列表：推理不分强度。',
  'The model supports prefill: it continues the given beginning of an answer. Used with `interrupted: resume`.':
    '模型支持 prefill：能接着给定的开头续写。与 `interrupted: resume` 配合使用。',
  'Checks the health of the deployment regularly; `GET /api/health` and `pailou_probes_total` show the result. An open circuit still lets a call try after its pause. Left out: only calls show its health.':
    '定期检查部署的健康状况；结果见 `GET /api/health` 和 `pailou_probes_total`。熔断打开后，间隔过去仍会放行一次试探调用。不填：只由实际调用反映健康状况。',
  'On each node, varied by up to a tenth.': '每个节点上的间隔，随机浮动不超过十分之一。',
  'models: the list of models, which costs nothing and shows that the server is there and takes the credential; it closes the circuit only if probes opened it, and deployments of one provider share it. token: an answer of one token, which shows that the model answers, closes any circuit, and is paid for: a run of operation `probe` of the user `pailou`.':
    'models：读取模型列表，不花钱，说明服务器在线且凭据有效；只关闭由探测打开的熔断，同一服务商的部署共用结果。token：请求一个 token 的回答，说明模型能回答，可关闭任何熔断，但要计费：记为用户 `pailou` 的 `probe` 运行。',
  'A probe that takes longer has failed.': '超过此时间的探测算失败。',
  'The number of consecutive failed probes, without a successful call between them, that opens the circuit. A limit (429), a vendor without such a list (404) or a request that is not understood (400) says nothing.':
    '连续失败多少次探测（其间没有成功调用）后打开熔断。限流（429）、厂商没有模型列表（404）或请求不被理解（400）不计。',
  'Tries per call, over all deployments.': '每次调用在所有部署上的总尝试次数。',
  'The longest time to the first token of a stream; after that the next deployment is tried. Left out: 30 s to 7 min of silence, by reasoning_effort and model; a sign of life of the vendor starts it anew.':
    '流式响应等待首个 token 的最长时间，之后尝试下一个部署。不填：按 reasoning_effort 和模型为 30 秒至 7 分钟的静默；厂商有活动迹象时重新计时。',
  'The longest time to the first byte of a whole answer; after that the next deployment is tried.':
    '非流式响应等待首字节的最长时间，之后尝试下一个部署。',
  'The longest silence between two reads of a stream; after that it counts as cut.': '流式响应两次读取之间的最长静默；超过则视为中断。',
  'The whole call, all attempts together.': '整个调用的时限，包含所有尝试。',
  'Retries at the same deployment after a transient fault.': '遇到临时故障时在同一部署上的重试次数。',
  'The pause before a retry, varied by up to a half; doubled each time.': '重试前的等待，随机浮动不超过一半；每次加倍。',
  'The longest Retry-After of a vendor that is waited out; beyond it the next deployment is tried.':
    '愿意等待的厂商 Retry-After 上限；超过则尝试下一个部署。',
  'When a streamed answer breaks off. error: an explicit error; resume: another deployment continues it when no text is lost or repeated; withhold: nothing is sent before the answer is complete.':
    '流式回答中断时。error：返回明确的错误；resume：在不丢失、不重复文本的前提下由另一个部署续写；withhold：回答完整之前不发送任何内容。',
  'Starts a second attempt beside one that takes longer than usual; the first answer counts, and the other attempt is ended. Left out: one attempt at a time.':
    '当一次尝试比平时慢时并行启动第二次；先回答的有效，另一个终止。不填：一次只尝试一个。',
  'The percentile of latency after which a second attempt starts at the next deployment.': '超过该延迟分位后，在下一个部署启动第二次尝试。',
  'The least number of measured calls for that, on this node.': '为此所需的最少测量次数（本节点）。',
  'The minimum delay of the second attempt.': '第二次尝试的最短等待。',
  'The delay while too few calls are measured. Left out: no second attempt then.': '测量次数不足时的等待。不填：此时不启动第二次尝试。',
  'An identical request gets the stored answer, without a call to the vendor. Left out: every call goes to the vendor.':
    '相同的请求直接返回已存的回答，不再调用厂商。不填：每次都调用厂商。',
  'How long a cached answer is used.': '缓存回答的有效时间。',
  'Who shares a cached answer: user, only the same caller; roles, callers with the same roles and permissions; tenant, all who may use the model.':
    '谁共享缓存的回答：user，仅同一调用方；roles，角色和权限相同的调用方；tenant，所有可使用该模型的人。',
  'Longer answers are not cached.': '更长的回答不缓存。',
  'The number of consecutive failures that opens the circuit of a deployment.': '连续失败多少次后打开部署的熔断。',
  'The share of failures within the window that also opens it.': '统计窗口内失败比例达到多少也会打开熔断。',
  'The least number of calls in the window for that share to count.': '窗口内至少多少次调用，该比例才生效。',
  'How long an open circuit takes no calls; after that one call at a time is a trial.':
    '熔断打开后多久不接调用；之后每次放行一个试探调用。',
  'The most calls that wait for a deployment at its limit; 0: none waits.': '部署达到上限时最多排队的调用数；0 表示不排队。',
  'Tried in this order when every deployment has failed.': '所有部署都失败后按此顺序尝试。',
  'content_filter only if it is named here.': '只有在此写明才包含 content_filter。',
  'The model that takes over, if the caller may use it and it can do what the call needs.':
    '接替的模型，前提是调用方有权使用且它能满足调用的需要。',
  'What the model can do; a call that needs more does not fall back to it.': '模型的能力；需要更多能力的调用不会转到它。',
};

const price = {
  'A currency code of ISO 4217, such as USD, EUR or CNY.': 'ISO 4217 币种代码，例如 USD、EUR 或 CNY。',
  'Per million tokens: input that no other field prices.': '每百万 token：其他字段未定价的输入。',
  'Per million tokens: input read from the cache of the vendor. Left out: as input.':
    '每百万 token：从厂商缓存读取的输入。不填：同 input。',
  'Per million tokens: input written to the cache of the vendor for some minutes. Left out: 1.25 times input.':
    '每百万 token：写入厂商缓存（数分钟）的输入。不填：input 的 1.25 倍。',
  'Per million tokens: input written to the cache of the vendor for an hour. Left out: twice input.':
    '每百万 token：写入厂商缓存（一小时）的输入。不填：input 的 2 倍。',
  'Per million tokens: output that no other field prices, reasoning included.': '每百万 token：其他字段未定价的输出，含推理。',
  'Per million tokens: sound in the input. Left out: as input.': '每百万 token：输入中的音频。不填：同 input。',
  'Per million tokens: sound in the output. Left out: as output.': '每百万 token：输出中的音频。不填：同 output。',
  'Per million tokens: pictures in the input. Left out: as input.': '每百万 token：输入中的图片。不填：同 input。',
  'Per million tokens: pictures in the output. Left out: as output.': '每百万 token：输出中的图片。不填：同 output。',
  'An amount of the currency per picture that is made, or a list of them by size and quality.':
    '每生成一张图片的金额，或按尺寸和画质列出。',
  'As callers ask for it, such as 1024x1024. Left out: any.': '调用方请求的尺寸，例如 1024x1024。不填：任意。',
  'As callers ask for it, such as high. Left out: any.': '调用方请求的画质，例如 high。不填：任意。',
  'An amount of the currency per picture, as a decimal: "2.00" or 0.5.': '每张图片的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per second of sound, as a decimal: "2.00" or 0.5.': '每秒音频的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per minute of sound, as a decimal: "2.00" or 0.5.': '每分钟音频的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per character of the text that is spoken, as a decimal: "2.00" or 0.5.':
    '朗读文本每个字符的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per page of a document, as a decimal: "2.00" or 0.5.': '文档每页的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per search (a rerank of up to 100 documents, or a search of the web), as a decimal: "2.00" or 0.5.':
    '每次搜索（不超过 100 个文档的重排，或一次网页搜索）的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per request, as a decimal: "2.00" or 0.5.': '每次请求的金额，十进制：“2.00” 或 0.5。',
  'Other amounts for a larger input. What a tier leaves out stays as it is.': '输入较大时的其他价格。某一档未写的项保持不变。',
  'For calls whose whole input is larger. The highest that fits counts.': '适用于总输入更大的调用。取符合的最高一档。',
  'Other amounts at some hours. The first that fits the begin of a call counts.': '某些时段的其他价格。取符合调用开始时间的第一个。',
  'The time of day at which it begins.': '开始的时刻。',
  'Not included. Before `from`: the next day.': '不含此刻。早于 `from` 时为次日。',
  'The time zone of from and to, by its IANA name. Left out: UTC.': 'from 和 to 的时区（IANA 名称）。不填：UTC。',
  'The days on which it begins, 1 for Monday. Left out: each day.': '在星期几开始，1 为星期一。不填：每天。',
  'All amounts times this decimal, such as 0.5.': '所有金额乘以此小数，例如 0.5。',
  'Other amounts for an answer that the vendor gave at its tier of service batch or flex.':
    '厂商以 batch 或 flex 服务等级回答时的其他价格。',
};

const skill = {
  'The published version that callers get; null: the row itself, each change at once. Left out, it stays as it is.':
    '调用方得到的已发布版本；null：配置本身，改动立即生效。不填：保持不变。',
  'The model that the skill uses, with the rights of its caller.': '技能使用的模型，以调用方的权限调用。',
  'The capabilities that the skill may use beside its model; each caller needs the right to it as well.':
    '除模型外技能可使用的能力；每个调用方也须有相应权限。',
  "The skill kind's own options, e.g. instructions and input_schema.": '该类技能自己的选项，例如 instructions 和 input_schema。',
  'The most levels of skills that call skills, including this one.': '技能调用技能的最大层数，含本技能。',
  'Rounds of tools in one conversation with the model.': '与模型一次对话中工具调用的轮数。',
  'The most tokens of a run and all its child runs.': '一次运行及其所有子运行的 token 上限。',
  'What is retained of each run beside counts, for its caller and for administrators: nothing; input and output of the skill; or also those of its child runs.':
    '除计数外为调用方和管理员保留每次运行的哪些内容：不保留；技能的输入和输出；或者连同子运行的输入和输出。',
  'Test cases; POST /api/skills/{name}/evaluate runs them.': '测试用例；由 POST /api/skills/{name}/evaluate 执行。',
  'The output equals this value; the order of fields is ignored.': '输出等于此值；忽略字段顺序。',
  'Texts that the output contains, ignoring case.': '输出应包含的文本，忽略大小写。',
  'A question about the output for a judge model, whose answer must begin with yes.': '就输出向评判模型提的问题，其回答必须以 yes 开头。',
  'With whose rights a run uses the model, tools and skills that the row names. caller: those of its caller. skill: exactly what the row names, as far as the person who published the version may use it, once an administrator has allowed the version (POST /api/skills/{name}/runs-as). Limits and budgets count the caller either way.':
    '运行时以谁的权限使用所列的模型、工具和技能。caller：调用方的权限。skill：恰好是所列的范围，以发布该版本的人可用为限，且须管理员批准该版本（POST /api/skills/{name}/runs-as）。限额和预算始终计入调用方。',
  'Which version may run as itself, and who allowed it. Set by administrators at …/runs-as; left out, it stays as it is.':
    '哪个版本可以以自身权限运行，由谁批准。由管理员在 …/runs-as 设置；不填：保持不变。',
  'Whether all cases have to pass before a version is published.': '发布版本前是否必须通过全部用例。',
};

const mcp = {
  'The transport: http, sse, stdio or openapi; or virtual, for a selection of tools of other servers.':
    '传输方式：http、sse、stdio 或 openapi；或 virtual，即其他服务器工具的组合。',
  "The transport's own options, e.g. url, or command and args.": '传输方式自己的选项，例如 url，或 command 和 args。',
  'Stands before the names of its tools at /mcp, with two underscores between; null for the name of the server.':
    '在 /mcp 处加在工具名之前，中间为两个下划线；null 表示用服务器名。',
  'Only these tools are shown and callable; null for all.': '只显示和允许调用这些工具；null 表示全部。',
  'Definitions that the server adds later: offered at once, or only after an approval. A changed definition always waits for one.':
    '服务器日后新增的工具：立即提供，或批准后提供。改动过的定义总是要等待批准。',
  "The tools for which the caller's client asks the person: none, those not marked as harmless by the server, or all.":
    '哪些工具需由调用方的客户端询问本人：都不、服务器未标为无害的，或全部。',
  'The most concurrent calls; further calls queue, within the time limit of a call.': '最大并发调用数；其余在调用时限内排队。',
  'A larger result is refused with an error that the model can read.': '更大的结果会被拒绝，并给出模型可读的错误。',
};

const access = {
  'A user as GET /api/me names them, with the issuer (`<issuer>#<subject>`) where several are configured; or a role, a team (a role or group of the token), or a client.':
    'GET /api/me 中的用户标识，配置了多个签发方时带签发方（`<issuer>#<subject>`）；或角色、团队（令牌中的角色或组）、客户端。',
  'A team is all people with one role or group in their token, as in limits.': '团队是令牌中带有同一个角色或组的所有人，与限额相同。',
  'A grant to use a provider lets a developer name it in models of their own.': '服务商的使用授权允许开发者在自己的模型中引用它。',
  'Whose calls are counted. A team is all people with one role or group in their token; they share one count.':
    '统计谁的调用。团队是令牌中有同一角色或组的所有人，共用一个计数。',
  'The user (with the issuer, `<issuer>#<subject>`, where several are configured), role, team (a role or group of the token), client or key; * for any of them, each counted alone. Left out for the whole tenant.':
    '用户（配置了多个签发方时带签发方 `<issuer>#<subject>`）、角色、团队（令牌中的角色或组）、客户端或密钥；* 表示任意一个，分别计数。针对整个租户时不填。',
  'For a role: all who hold it share one count; otherwise each has a separate count.': '用于角色：持有者共用一个计数；否则分别计数。',
  'Which models or tools are counted. A provider stands for every model that may call it, whatever its name.':
    '统计哪些模型或工具。服务商代表所有可能调用它的模型，不论名称。',
  'Each model or tool has a separate count; otherwise all that are named share one.': '每个模型或工具分别计数；否则所列的共用一个计数。',
  'Input and output together.': '输入与输出合计。',
  'An amount of the currency per day, as a decimal: "2.00" or 0.5.': '每天的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per week, from Monday, as a decimal: "2.00" or 0.5.': '每周（自星期一起）的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency per month, as a decimal: "2.00" or 0.5.': '每月的金额，十进制：“2.00” 或 0.5。',
  'An amount of the currency in all, as a decimal: "2.00" or 0.5.': '总金额，十进制：“2.00” 或 0.5。',
  "The time zone of days, weeks and months, such as Asia/Shanghai. Default: the tenant's (PAILOU_TIME_ZONE), else UTC.":
    '日、周、月的时区，例如 Asia/Shanghai。默认：租户的时区（PAILOU_TIME_ZONE），否则 UTC。',
  'A webhook that is called when a threshold of the budget is reached.': '达到预算阈值时调用的 webhook。',
  'The webhook: https, or http at a private address that the operator allows.': 'webhook 地址：https，或运维人员允许的内网 http 地址。',
  'Signs each message by HMAC-SHA256, as Standard Webhooks describes. What follows whsec_ is base64 of the key.':
    '按 Standard Webhooks 用 HMAC-SHA256 为每条消息签名。whsec_ 之后是密钥的 base64。',
  'Percent of the budget. Each is sent once in each period.': '预算的百分比。每个周期内各发送一次。',
  'Under a limit of spend: what happens with a model that has a deployment without a price in its currency.':
    '有费用限额时：模型有部署没有该币种价格时如何处理。',
  'Reserved for the answer to a call without max_tokens, until its usage is known.':
    '调用没有 max_tokens 时为回答预留的 token 数，直到得知实际用量。',
  'The name of a limit that does not count the callers of this one, so that one person can have other amounts than the rest.':
    '不再统计本限额对象的另一条限额的名称，使个别人可有不同的额度。',
  'From then on the limit counts nothing and replaces nothing.': '此后该限额不再统计，也不再替代其他限额。',
};

const teams = {
  'The role or group in the token that makes a person a member. Grants and limits of the team name it as their subject.':
    '令牌中的哪个角色或组使人成为成员。团队的授权和限额以它为对象。',
  'Members who also have this role administer the team: they see its members, usage and runs, and make keys for its service accounts.':
    '同时持有该角色的成员是团队管理员：可查看团队的成员、用量和运行记录，并为其服务账号创建密钥。',
  'People who administer the team, as GET /api/me names them. They need not be members.':
    '管理该团队的人，写法同 GET /api/me。不必是成员。',
  'The roles and teams of the service account, as grants and limits name them. admin, developer and viewer reach as far as they do for people; any other reaches what is granted to it. Left out with a team.':
    '服务账号的角色和团队，写法同授权和限额。admin、developer、viewer 的范围与人相同；其他角色只有被授权的范围。指定团队时不填。',
  'The team that owns it. Its rights are those of a member who has only the role of the team, and administrators of the team make and revoke its keys.':
    '所属团队。其权限等于只有团队角色的成员，由团队管理员创建和吊销其密钥。',
};

export const rowHelp: Readonly<Record<string, string>> = { ...provider, ...model, ...price, ...skill, ...mcp, ...access, ...teams };
