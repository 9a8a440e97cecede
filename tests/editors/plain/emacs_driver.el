;;; What a test does and sees in Emacs, over a socket: a line of JSON each way.  -*- lexical-binding: t; -*-
;; A menu (`completing-read', `y-or-n-p') stays open until the test chooses, and blocks what asked, as it does a person.

(require 'json)
(require 'cl-lib)

(defvar driver-menu nil "The open menu: prompt, titles, and where the choice goes: a list of one title, or `quit'.")
(defvar driver-rest "")

(defun driver-read (prompt collection &rest _)
  (let ((menu (list prompt (all-completions "" collection) nil)))
    (setq driver-menu menu)
    (while (not (nth 2 menu)) (accept-process-output nil 0.02))
    (if (eq (nth 2 menu) 'quit) (signal 'quit nil) (car (nth 2 menu)))))

(defun driver-close (choice)
  (setf (nth 2 driver-menu) choice)
  (setq driver-menu nil))

(setq completing-read-function #'driver-read)
(advice-add 'y-or-n-p :override (lambda (prompt) (equal (driver-read prompt '("yes" "no")) "yes")))

(defun driver-buffer (path)
  (or (find-buffer-visiting path) (error "There is no buffer of %s" path)))

(defmacro driver-in (path &rest body)
  "Do BODY in the window of PATH, with the buffer as narrow or wide as it is."
  (declare (indent 1))
  `(progn (switch-to-buffer (driver-buffer ,path)) ,@body))

(defun driver-line (line)
  (goto-char (point-min))
  (forward-line (1- line)))

(defun driver-soon (call)
  "Do CALL from the command loop: it may open a menu and wait."
  (let ((buffer (current-buffer)))
    (run-at-time 0 nil (lambda ()
                         (with-current-buffer buffer
                           (let ((last-nonmenu-event ?a)) ; or the menu would be a mouse's
                             (condition-case problem (funcall call)
                               ((error quit) (message "%s" (error-message-string problem))))))))
    nil))

(defun driver/open (path)
  (switch-to-buffer (find-file-noselect path))
  (run-hooks 'post-command-hook))

(defun driver/type (path line text)
  (driver-in path
    (driver-line line)
    (undo-boundary)
    (insert text)
    (undo-boundary)
    nil))

(defun driver/has (path)
  (and (find-buffer-visiting path) t))

(defun driver/text (path)
  (with-current-buffer (driver-buffer path) (buffer-substring-no-properties (point-min) (point-max))))

(defun driver/attached (path)
  (with-current-buffer (driver-buffer path)
    (and (bound-and-true-p eglot--managed-mode) (eglot-current-server) t)))

(defun driver/actions (path first last)
  (driver-in path
    (driver-line first)
    (deactivate-mark)
    (when last
      (push-mark (line-beginning-position) t t)
      (goto-char (line-beginning-position (+ 2 (- last first)))))
    (driver-soon (lambda () (call-interactively #'eglot-code-actions)))))

(defun driver/menu ()
  (and driver-menu
       `(:prompt ,(car driver-menu) :titles ,(vconcat (cadr driver-menu)))))

(defun driver/choose (title)
  (unless (member title (cadr driver-menu)) (error "The menu has no %s, but %S" title driver-menu))
  (driver-close (list title)))

(defun driver/dismiss ()
  (driver-close 'quit))

(defun driver/undo (path)
  (driver-in path
    (setq last-command nil)
    (undo-boundary) ; as after each command of a person's
    (let ((inhibit-message t)) (undo-only))
    nil))

(defun driver/save (path)
  (driver-in path
    (set-visited-file-modtime)
    (save-buffer)))

(defun driver/messages ()
  (with-current-buffer (messages-buffer) (buffer-substring-no-properties (point-min) (point-max))))

(defun driver/focus ()
  (or (buffer-file-name (window-buffer (selected-window))) ""))

(defun driver/log ()
  (mapconcat (lambda (buffer)
               (with-current-buffer buffer
                 (if (string-match-p "EGLOT" (buffer-name))
                     (concat (buffer-name) "\n"
                             (buffer-substring-no-properties (max (point-min) (- (point-max) 6000)) (point-max)))
                   "")))
             (buffer-list) ""))

(defun driver-answer (line)
  (let* ((asked (json-parse-string line :array-type 'list :null-object nil :object-type 'plist))
         (said (condition-case problem
                   (list :value (or (apply (intern (concat "driver/" (plist-get asked :verb)))
                                           (plist-get asked :with))
                                    :null))
                 (error (list :error (error-message-string problem))))))
    (concat (json-serialize said) "\n")))

(defun driver-heard (socket data)
  (setq driver-rest (concat driver-rest data))
  (while (string-match "\n" driver-rest)
    (let ((line (substring driver-rest 0 (match-beginning 0))))
      (setq driver-rest (substring driver-rest (match-end 0)))
      (process-send-string socket (driver-answer line)))))

(make-network-process
 :name "driver" :family 'local :service (getenv "KAAJ_DRIVER") :coding 'utf-8-unix :noquery t
 :filter #'driver-heard
 :sentinel (lambda (_ happened)
             (unless (string-prefix-p "open" happened)
               (unwind-protect
                   (when (fboundp 'eglot-shutdown-all) (ignore-errors (eglot-shutdown-all)))
                 (let ((kill-emacs-hook nil)) (kill-emacs 0))))))
