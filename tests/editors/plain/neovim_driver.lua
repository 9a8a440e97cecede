-- What a test does and sees in Neovim (0.7 and later), over a socket: a line of JSON each way.
-- A menu (`vim.ui.select`, and `inputlist`, by which 0.7 asks) stays open until the test chooses.

local menu ---@type { prompt: string, titles: string[], pick: fun(place: integer?) }?
local progress = {} ---@type string[]
local token ---@type string? of the newest progress

local function show_menu(prompt, titles, pick)
  menu = { prompt = prompt, titles = titles, pick = pick }
end

function vim.ui.select(items, opts, on_choice)
  local titles = {}
  for place, item in ipairs(items) do
    titles[place] = (opts.format_item or tostring)(item)
  end
  show_menu(opts.prompt or "", titles, function(place)
    on_choice(place and items[place], place)
  end)
end

function vim.fn.inputlist(rows)
  local chosen
  local titles = vim.tbl_map(function(row)
    return (row:gsub("^%d+%. ", ""))
  end, vim.list_slice(rows, 3))
  show_menu(rows[1], titles, function(place)
    chosen = place or 0
  end)
  vim.wait(600000, function()
    return chosen ~= nil
  end, 10)
  return chosen or 0
end

local tell_progress = vim.lsp.handlers["$/progress"]
vim.lsp.handlers["$/progress"] = function(problem, params, ...)
  local value = params.value
  table.insert(progress, table.concat({ value.kind, value.title or "", value.message or "" }, " | "))
  token = params.token
  return tell_progress(problem, params, ...)
end

local function buffer(path)
  local number = vim.fn.bufnr("^" .. path .. "$")
  assert(number ~= -1, "there is no buffer of " .. path)
  return number
end

local function lines(path)
  return vim.api.nvim_buf_get_lines(buffer(path), 0, -1, false)
end

-- Focuses the window of a file, or shows it in this one.
local function go(path)
  local window = vim.fn.bufwinid(buffer(path))
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
  else
    vim.api.nvim_set_current_buf(buffer(path))
  end
end

local verbs = {}

function verbs.open(path)
  vim.cmd("edit " .. vim.fn.fnameescape(path))
end

-- Types `text` in front of a line (from 1), without saving it.
function verbs.type(path, line, text)
  if text:sub(-1) == "\n" then -- whole lines, also behind the last one
    vim.api.nvim_buf_set_lines(buffer(path), line - 1, line - 1, false, vim.split((text:gsub("\n$", "")), "\n"))
  else
    vim.api.nvim_buf_set_text(buffer(path), line - 1, 0, line - 1, 0, vim.split(text, "\n"))
  end
end

function verbs.has(path)
  return vim.fn.bufloaded(path) == 1
end

function verbs.text(path)
  return table.concat(lines(path), "\n") .. "\n"
end

function verbs.attached(path)
  local clients = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in pairs(clients()) do
    if vim.lsp.buf_is_attached(buffer(path), client.id) then
      return true
    end
  end
  return false
end

-- Asks for code actions as the person's keys do, with the cursor on `first`, or with lines `first` to `last` selected.
function verbs.actions(path, first, last)
  go(path)
  vim.api.nvim_win_set_cursor(0, { first, 0 })
  vim.api.nvim_input(last and ("V" .. (last > first and (last - first) .. "j" or "") .. "gra") or "gra")
end

function verbs.lenses(path)
  local rows = {}
  for _, lens in ipairs(vim.lsp.codelens.get(buffer(path))) do
    table.insert(rows, (lens.range.start.line + 1) .. " " .. lens.command.title)
  end
  return rows
end

-- Presses the key for lenses; where a line has several, a menu comes up.
function verbs.lens(path, line)
  go(path)
  vim.api.nvim_win_set_cursor(0, { line, 0 })
  vim.api.nvim_input("grl")
end

function verbs.menu()
  return menu and { prompt = menu.prompt, titles = menu.titles }
end

function verbs.choose(title)
  local shown = assert(menu, "no menu is open")
  for place, one in ipairs(shown.titles) do
    if one == title then
      menu = nil
      return shown.pick(place)
    end
  end
  error("the menu has no " .. title .. ", but " .. table.concat(shown.titles, "; "))
end

function verbs.dismiss()
  local shown = assert(menu, "no menu is open")
  menu = nil
  shown.pick(nil)
end

function verbs.undo(path)
  go(path)
  vim.cmd("undo")
end

function verbs.save(path)
  go(path)
  vim.cmd("silent write!")
end

function verbs.progress()
  return progress
end

function verbs.cancel_progress()
  local clients = vim.lsp.get_clients or vim.lsp.get_active_clients
  select(2, next(clients())).notify("window/workDoneProgress/cancel", { token = token })
end

function verbs.messages()
  return vim.api.nvim_exec("messages", true)
end

function verbs.focus()
  return vim.api.nvim_buf_get_name(0)
end

function verbs.shown()
  local names = {}
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    table.insert(names, vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window)))
  end
  return names
end

function verbs.log()
  local file = io.open(vim.lsp.get_log_path(), "r")
  return file and file:read("*a") or ""
end

local pipe = vim.loop.new_pipe(false)
local rest = ""

local function answer(line)
  local asked = vim.json.decode(line)
  for place = 1, 3 do
    asked.with[place] = asked.with[place] ~= vim.NIL and asked.with[place] or nil
  end
  local ok, value = pcall(verbs[asked.verb], unpack(asked.with, 1, 3))
  local said = ok and { value = value == nil and vim.NIL or value } or { error = tostring(value) }
  pipe:write(vim.json.encode(said) .. "\n")
end

pipe:connect(assert(vim.env.KAAJ_DRIVER), function(problem)
  assert(not problem, problem)
  pipe:read_start(function(_, data)
    if not data then
      return vim.schedule(function()
        vim.cmd("qall!")
      end)
    end
    rest = rest .. data
    for line in rest:gmatch("([^\n]*)\n") do
      vim.schedule(function()
        answer(line)
      end)
    end
    rest = rest:match("[^\n]*$")
  end)
end)
