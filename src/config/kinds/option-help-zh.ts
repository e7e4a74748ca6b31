/** The help of plugin options in Chinese, by the English text of the schema. */

export const optionHelp: Readonly<Record<string, string>> = {
  'A key of platform.claude.com, or of the vendor behind base_url.': 'platform.claude.com 的密钥，或 base_url 所指厂商的密钥。',
  'Without /v1/messages, such as https://open.bigmodel.cn/api/anthropic.':
    '不含 /v1/messages，例如 https://open.bigmodel.cn/api/anthropic。',
  'How the key is sent; some vendors of this format want a bearer token.': '密钥的发送方式；部分采用此格式的厂商要求 Bearer 令牌。',
  'Sent as anthropic-version. The newest takes no temperature, top_p and top_k, whatever the model.':
    '作为 anthropic-version 发送。最新版本对任何模型都不接受 temperature、top_p 和 top_k。',
  'Sent as anthropic-beta with each call.': '每次调用时作为 anthropic-beta 发送。',
  'What the vendor\'s own finish reasons mean, such as { "tired": "length" }; * for any other word that Pailou does not know.':
    '厂商自有结束原因的含义，例如 { "tired": "length" }；* 表示 Pailou 不认识的其他词。',
  'The proxy that all connections of this row go through: http, https or socks5. `none` connects directly although the environment names a proxy.':
    '本条配置的所有连接经过的代理：http、https 或 socks5。`none` 表示直连，即使环境变量设置了代理。',
  'The login at the proxy.': '登录代理的用户名。',
  'The password of proxy_user.': 'proxy_user 的密码。',
  'The resource, such as https://my-resource.openai.azure.com': '资源地址，例如 https://my-resource.openai.azure.com',
  "Leave it out for the resource's /openai/v1; with it, models are named by deployment.":
    '留空则使用资源的 /openai/v1；填写后，模型以部署名称呼。',
  'A key of the resource; or use entra.': '资源的密钥；也可以使用 entra。',
  'A service principal of Microsoft Entra in the place of a key.': '用 Microsoft Entra 的服务主体代替密钥。',
  "Models that are called by OpenAI's Responses API, * for any characters. A deployment's api and the catalogue come first.":
    '通过 OpenAI Responses API 调用的模型，* 表示任意字符。部署的 api 和模型目录优先。',
  'Models that only answer as a stream, * for any characters; Pailou buffers their answers for callers that do not stream.':
    '只支持流式响应的模型，* 表示任意字符；对不使用流式的调用方，Pailou 会缓冲后整体返回。',
  'The reasoning is in the text, between <think> and </think> at its start, and Pailou separates it. "unopened": without <think>, because the template of the model ends the prompt with it (DeepSeek R1, QwQ). A deployment may override this.':
    '推理内容位于文本开头的 <think> 与 </think> 之间，由 Pailou 分离。"unopened"：没有 <think>，因为模型模板已在提示词末尾写出它（DeepSeek R1、QwQ）。部署可覆盖此设置。',
  'A Bedrock API key, sent as a bearer token; instead of the keys of a user.':
    'Bedrock API 密钥，作为 Bearer 令牌发送；用来代替用户的访问密钥。',
  'Of temporary keys only.': '仅用于临时密钥。',
  "Instead of AWS's address for the region.": '代替该地域的 AWS 默认地址。',
  'Texts in one request: Titan and Nova take 1, Cohere up to 96.': '一次请求的文本数：Titan 和 Nova 为 1，Cohere 最多 96。',
  'Up to and with the version, such as /v1. A query in it goes with every call.':
    '写到版本号为止，例如 /v1。其中的查询参数会随每次调用发送。',
  'Sent as a bearer token.': '作为 Bearer 令牌发送。',
  'More headers for each call.': '每次调用附加的请求头。',
  'A key of Alibaba Cloud Model Studio (Bailian).': '阿里云百炼（Model Studio）的密钥。',
  'Mainland China, or the international service, which has keys of its own.': '中国内地，或使用独立密钥的国际站。',
  'Instead of the address of the region, without /api/v1; e.g. that of a workspace.':
    '代替地域的默认地址，不含 /api/v1；例如业务空间的地址。',
  'Models behind the multimodal address. `*` matches any characters.': '使用多模态接口的模型。`*` 匹配任意字符。',
  'Models that only answer as a stream; Pailou buffers the answer for callers that do not stream. `*` matches any characters.':
    '只支持流式响应的模型；对不使用流式的调用方，Pailou 会缓冲后整体返回。`*` 匹配任意字符。',
  'Texts in one request: 10 is what every model takes, v1 and v2 take 25.': '一次请求的文本数：所有模型都支持 10，v1 和 v2 支持 25。',
  'A key of aistudio.google.com.': 'aistudio.google.com 的密钥。',
  'Up to and with the version.': '写到版本号为止。',
  'Sent as a bearer token, if the server asks for one.': '服务器需要时，作为 Bearer 令牌发送。',
  'Without /api.': '不含 /api。',
  "Sent as a bearer token: for Ollama's cloud, or a proxy that guards the server.":
    '作为 Bearer 令牌发送：用于 Ollama 云服务，或保护服务器的反向代理。',
  'A key of platform.openai.com.': 'platform.openai.com 的密钥。',
  'The JSON file of a service account with the role Vertex AI User.': '具有 Vertex AI User 角色的服务账号的 JSON 文件内容。',
  'A token of your own, instead of a service account; it ends after an hour.': '用自己的令牌代替服务账号；一小时后失效。',
  "Instead of Google's address for the location, up to and with the version.": '代替该区域的 Google 默认地址，写到版本号为止。',
  'Texts in one request: gemini-embedding-001 takes 1, text-embedding-005 up to 250.':
    '一次请求的文本数：gemini-embedding-001 为 1，text-embedding-005 最多 250。',
  'Used when the input has none.': '输入中没有时使用。',
  'Whether several labels may fit.': '是否允许同时匹配多个标签。',
  'What to consider.': '分类时的注意事项。',
  'The characters of a long text that are read, from its start.': '长文本从开头起读取的字符数。',
  'A file that takes longer to read is refused.': '读取时间超过此值的文件会被拒绝。',
  'Used when the input names none.': '输入没有指定时使用。',
  'Conventions: style, libraries, what to avoid.': '约定：代码风格、使用的库、应避免的做法。',
  'JSON Schema of the data, unless the input brings its own: an object, or an array of objects.':
    '数据的 JSON Schema（输入自带时以输入为准）：一个对象，或对象数组。',
  'What to look for, and what the fields mean.': '要提取什么，各字段的含义。',
  'Characters per model call.': '每次模型调用处理的字符数。',
  'Characters of a chunk that are repeated in the next, so that nothing is lost at the boundary.':
    '相邻分块重叠的字符数，避免边界处丢失内容。',
  'For lists. once: equal records in several places are one; each: every place counts, such as two equal lines of an invoice.':
    '用于列表。once：多处出现的相同记录算一条；each：每处都算，例如发票上两行相同的明细。',
  'Default: the language of the document.': '默认：文档本身的语言。',
  'The focus, and other instructions.': '摘要重点及其他要求。',
  'SKILL.md and the files beside it. POST /api/skills/import creates it from a zip file.':
    'SKILL.md 及同目录的文件。POST /api/skills/import 可由 zip 文件创建。',
  'JSON Schema of the output; unless given it may be anything, and is a text unless it is written as an object or a list.':
    '输出的 JSON Schema；不填则不限，除非写成对象或列表，否则为文本。',
  "Unless given, the skill's own model. The row has to name it under tools.": '不填则使用技能自己的模型。须在 tools 中列出。',
  'Its input, with places such as {{input.text}}, {{steps.read}} and {{item.name}}. For a model: prompt, system and schema, or messages.':
    '该步骤的输入，可引用 {{input.text}}、{{steps.read}}、{{item.name}} 等。调用模型时：prompt、system 和 schema，或 messages。',
  'Whether it runs at all; its result is null if not.': '该步骤是否执行；不执行时结果为 null。',
  'A place that holds a list: the step runs for each item, its result is the list of results.':
    '指向一个列表：对每一项执行该步骤，结果为各项结果的列表。',
  'The items of each that run at a time. Default: 4.': '同时执行的项数。默认 4。',
  'null: its result is null when it fails, and the others go on.': 'null：失败时结果为 null，其余步骤继续。',
  'What it answers, with places; unless given, the result of the last step.': '技能的返回值，可引用各步骤；不填则为最后一步的结果。',
  'The instructions for the model; {{name}} inserts a value of the input.': '给模型的指令；{{name}} 插入输入中的值。',
  'The message of the user. Default: the text of the input, or the input as JSON.': '用户消息。默认：输入的文本，或 JSON 形式的输入。',
  'JSON Schema of the input.': '输入的 JSON Schema。',
  'JSON Schema of the answer; unless given, the answer is text.': '回答的 JSON Schema；不填则回答为文本。',
  'How often the model is asked to repair an answer that does not fit the output_schema.':
    '回答不符合 output_schema 时要求模型修复的次数。',
  'More fields of the chat request, such as temperature.': '对话请求的其他字段，例如 temperature。',
  'The language when the input names none, e.g. German or zh-CN.': '输入没有指定时的目标语言，例如 German 或 zh-CN。',
  'How it should sound, e.g. formal, for engineers.': '译文风格，例如：正式、面向工程师。',
  'Terms and what they must become.': '术语及其固定译法。',
  'How often a chunk with an empty translation is tried again.': '译文为空的分块重试的次数。',
  "Sent with each request, e.g. the server's own Authorization. The caller's token never is.":
    '随每次请求发送，例如服务器自己的 Authorization。绝不会发送调用方的令牌。',
  'How Pailou gets a token for the server, beside fixed headers.': '除固定请求头外，Pailou 获取该服务器令牌的方式。',
  "Pailou's own account at the server, for all callers.": 'Pailou 在该服务器的账号，所有调用方共用。',
  'The token endpoint of the OAuth2 service that the MCP server trusts.': 'MCP 服务器信任的 OAuth2 服务的令牌端点。',
  'How the client secret is sent: in a header, or in the form.': '客户端密钥的发送方式：请求头或表单。',
  'The MCP server as the OAuth2 service knows it (RFC 8707).': 'OAuth2 服务所认识的 MCP 服务器标识（RFC 8707）。',
  "Each caller's token is exchanged (RFC 8693) for one that is valid only at the server; needs sessions: user.":
    '把每个调用方的令牌换成只在该服务器有效的令牌（RFC 8693）；需要 sessions: user。',
  "Each person's own account at the server, connected once in a browser (OAuth 2.1 as MCP has it, found by the server's metadata); needs sessions: user.":
    '每个人在该服务器的个人账号，在浏览器中授权一次（MCP 规定的 OAuth 2.1，由服务器元数据发现）；需要 sessions: user。',
  'Left out: Pailou registers itself (RFC 7591).': '不填：Pailou 自行注册（RFC 7591）。',
  'The protocol with sessions (legacy), the stateless one of 2026-07-28 (modern), or negotiated with the server (auto), at the cost of one more request.':
    '有会话的协议（legacy）、2026-07-28 的无状态协议（modern），或与服务器协商（auto，多一次请求）。',
  "shared: one session for all callers, in which the server may not ask the caller's client. user: a session for each user, in which it may.":
    'shared：所有调用方共用一个会话，服务器不能询问调用方的客户端。user：每个用户一个会话，可以询问。',
  'The OpenAPI document (3.0 to 3.2) itself, as an object or as JSON or YAML text.':
    'OpenAPI 文档（3.0 至 3.2）本身，对象形式，或 JSON、YAML 文本。',
  'Its address; read again when the tools are synced.': '文档地址；同步工具时重新读取。',
  'The address of the service. Default: the first of the `servers` of the document.': '服务地址。默认：文档 `servers` 中的第一个。',
  'The operations that become tools: operationIds or "POST /orders"; a trailing * matches any rest. Default: every GET.':
    '成为工具的操作：operationId 或 "POST /orders"；末尾的 * 匹配其余部分。默认：所有 GET。',
  'Sent with each call.': '随每次调用发送。',
  'Added to the query of each call, such as an API key.': '附加到每次调用的查询参数，例如 API 密钥。',
  'The name of a program in PAILOU_STDIO_PROGRAMS.': 'PAILOU_STDIO_PROGRAMS 中某个程序的名称。',
  'Values for the parameters that the program declares, by name.': '程序声明的参数的取值，按名称填写。',
  'In place of `program`, with `args`: a command line that is one of those programs, exactly.':
    '代替 `program`，与 `args` 一起使用：必须与其中某个程序的命令行完全一致。',
  'Variables that the program has declared. It gets nothing else besides PATH and HOME.':
    '程序声明过的环境变量。除 PATH 和 HOME 外不会得到其他变量。',
  'Where the program runs, as the operator wrote it.': '程序的工作目录，须与运维人员填写的一致。',
  'A program that uses more is stopped (on Linux).': '超出此内存的程序会被终止（Linux）。',
  'The selected tools. Callers with the right to this server may use them through it, whatever their other rights.':
    '选入的工具。有权使用本服务器的调用方可以通过它使用这些工具，不论其他权限如何。',
};
